/**
 * The rules of the house that Deno's own linter does not know. It runs on every supported Deno release, so it
 * keeps to what both of them offer.
 *
 * @module
 */

import { importVerdict } from "./import_table.ts";

/** The checkout, as an absolute path that ends in `/`. */
const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** Where time, entropy and I/O are arguments. */
const CORES = [
  "lib/wire/",
  "lib/text/",
  "lib/crypto/port.ts",
  "lib/secure/",
  "lib/identity/",
  "lib/login/",
  "lib/chat/",
  "lib/session/",
  "lib/delivery/",
] as const;

/** Something that may be named in some places only. */
interface Ban {
  /** A global, or a member of one: `Math.random`. `Deno.*` is every member and the object itself. */
  readonly names: readonly string[];
  /** Built-in modules that give the same. */
  readonly modules: readonly string[];
  /** Whether the ban holds in `file`. */
  readonly holdsIn: (file: string) => boolean;
  /** What to do instead: the end of the sentence. */
  readonly instead: string;
}

const BANS: readonly Ban[] = [
  {
    names: [
      "Date.now",
      "Math.random",
      "performance.*",
      "Temporal.Now",
      "console.*",
      "Deno.*",
      "process.*",
      "globalThis.*",
      "fetch",
    ],
    modules: [
      "child_process",
      "cluster",
      "console",
      "fs",
      "os",
      "perf_hooks",
      "process",
      "readline",
      "sqlite",
      "worker_threads",
    ],
    holdsIn: isCore,
    instead: "a core takes time, entropy and I/O as arguments",
  },
  {
    names: [
      "setTimeout",
      "setInterval",
      "setImmediate",
      "AbortSignal.timeout",
      "fetch",
      "WebSocket",
      "EventSource",
      "Deno.listen",
      "Deno.listenTls",
      "Deno.listenDatagram",
      "Deno.connect",
      "Deno.connectTls",
      "Deno.connectQuic",
      "Deno.startTls",
      "Deno.serve",
      "Deno.cron",
    ],
    modules: ["dgram", "http", "http2", "https", "net", "timers", "tls"],
    holdsIn: (file) => file.startsWith("lib/") && !file.startsWith("lib/net/"),
    instead: "lib/net alone touches a socket or a timer",
  },
  {
    names: ["crypto.subtle", "crypto.getRandomValues", "crypto.randomUUID"],
    modules: ["crypto"],
    holdsIn: (file) => isCore(file) || file.startsWith("lib/") && !file.startsWith("lib/crypto/"),
    instead: "take a Provider or an Entropy of lib/crypto/port.ts as an argument",
  },
];

const NOUNLESS = ["util", "utils", "helper", "helpers", "common"];

/** What Deno loads by `lint.plugins` of deno.json. */
const plugin: Deno.lint.Plugin = {
  name: "sotto",
  rules: {
    "import-table": { create: importTable },
    "no-assertion": { create: noAssertion },
    "pure-core": { create: pureCore },
    "no-barrel": { create: noBarrel },
    "no-default-export": { create: noDefaultExport },
    "file-name": { create: fileName },
  },
};

export default plugin;

/** Every import, export-from and import type is allowed by tools/import_table.ts. */
function importTable(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const importer = relative(context.filename);
  return onModuleNames((node, name) => {
    if (importer === undefined) return;
    const message = specifierVerdict(importer, name);
    if (message !== undefined) context.report({ node, message });
  });
}

function specifierVerdict(importer: string, name: string): string | undefined {
  if (name.startsWith("./") || name.startsWith("../")) {
    const imported = relative(decodeURIComponent(new URL(name, `file://${ROOT}${importer}`).pathname));
    return imported === undefined
      ? `Cannot import ${name} from ${importer}: it lies outside the checkout; take what is inside`
      : importVerdict(importer, imported);
  }
  if (/^(https?|jsr|file|data|blob):/.test(name) || name.startsWith("/")) {
    return `Cannot import ${name} from ${importer}: dependencies are npm packages or node built-ins`;
  }
  if (name.startsWith("npm:") && !importer.startsWith("tests/") && !importer.startsWith("bench/")) {
    return `Cannot import ${name} from ${importer}: pins are in deno.json; import the bare name`;
  }
  return undefined;
}

/** No `as` but `as const`, no angle brackets: a type is proved, not claimed. */
function noAssertion(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const message = "Cannot assert a type: the compiler would believe it unchecked; narrow or parse instead";
  return {
    TSAsExpression(node) {
      const type = node.typeAnnotation;
      const isConst = type.type === "TSTypeReference" && type.typeName.type === "Identifier" &&
        type.typeName.name === "const";
      if (!isConst) context.report({ node, message });
    },
    TSTypeAssertion(node) {
      context.report({ node, message });
    },
  };
}

/** Cores name no clock, chance, timer, socket or process; sockets, timers, WebCrypto have one room each. */
function pureCore(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = relative(context.filename);
  const bans = BANS.filter((ban) => file !== undefined && ban.holdsIn(file));
  if (file === undefined || bans.length === 0) return {};

  const refuse = (node: Deno.lint.Node, name: string, instead: string) =>
    context.report({ node, message: `Cannot use ${name} in ${file}: ${instead}` });
  const check = (node: Deno.lint.Node, object: string, member: string | undefined) => {
    const written = member === undefined ? object : `${object}.${member}`;
    const ban = bans.find(({ names }) => names.includes(written) || names.includes(`${object}.*`));
    if (ban !== undefined) refuse(node, written, ban.instead);
  };

  return {
    ...onModuleNames((node, name) => {
      const module = name.replace(/^node:/, "").split("/")[0] ?? name;
      const ban = bans.find(({ modules }) => modules.includes(module));
      if (ban !== undefined) refuse(node, name, ban.instead);
    }),
    Identifier(node) {
      if (isGlobalReference(node)) check(node, node.name, undefined);
    },
    MemberExpression(node) {
      if (node.object.type !== "Identifier") return;
      const member = memberName(node);
      if (member !== undefined) check(node, node.object.name, member);
    },
    TSQualifiedName(node) {
      if (node.left.type === "Identifier") check(node, node.left.name, node.right.name);
    },
    VariableDeclarator(node) {
      if (node.id.type !== "ObjectPattern" || node.init?.type !== "Identifier") return;
      for (const property of node.id.properties) {
        if (property.type === "Property" && property.key.type === "Identifier") {
          check(property, node.init.name, property.key.name);
        }
      }
    },
    NewExpression(node) {
      const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
      if (isCore(file) && isDate && node.arguments.length === 0) {
        refuse(node, "new Date()", "a core takes the time as an argument");
      }
    },
    CallExpression(node) {
      if (isCore(file) && node.callee.type === "Identifier" && node.callee.name === "Date") {
        refuse(node, "Date()", "a core takes the time as an argument");
      }
    },
  };
}

/** A file declares something of its own: who imports a thing names the file where it lives. */
function noBarrel(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    ExportAllDeclaration(node) {
      context.report({
        node,
        message: "Cannot export *: the reader must see the names; import where they live",
      });
    },
    "Program:exit"(node) {
      const onlyPasses = node.body.length > 0 &&
        node.body.every((statement) =>
          statement.type === "ImportDeclaration" || statement.type === "ExportAllDeclaration" ||
          statement.type === "ExportNamedDeclaration" && statement.declaration === null
        ) && node.body.some((statement) => statement.type !== "ImportDeclaration");
      if (onlyPasses) {
        context.report({
          node,
          message: "Cannot have a file that only re-exports: import where things live",
        });
      }
    },
  };
}

/** A thing has one name everywhere. This file is the exception, since Deno loads a plugin by its default. */
function noDefaultExport(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (relative(context.filename) === "tools/lint_plugin.ts") return {};
  const message = "Cannot export a default: a thing has one name everywhere; export it by name";
  return {
    ExportDefaultDeclaration(node) {
      context.report({ node, message });
    },
    ExportSpecifier(node) {
      if (node.exported.type === "Identifier" && node.exported.name === "default") {
        context.report({ node, message });
      }
    },
  };
}

/** Files and folders are in snake_case and named for an idea. */
function fileName(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = relative(context.filename);
  return {
    Program(node) {
      const message = file === undefined ? undefined : fileNameVerdict(file);
      if (message !== undefined) context.report({ node, message });
    },
  };
}

function fileNameVerdict(file: string): string | undefined {
  for (const part of file.split("/")) {
    if (!/^[a-z0-9_]+(\.d)?(\.tsx?)?$/.test(part)) {
      return `Cannot name a file or folder ${part}: names are in snake_case`;
    }
    const word = part.replace(/\..*$/, "").split("_").find((each) => NOUNLESS.includes(each));
    if (word !== undefined) {
      return `Cannot name a file or folder ${part}: "${word}" says nothing; name the idea`;
    }
  }
  return undefined;
}

/** Calls `visit` with every module that a file names, types included. */
function onModuleNames(visit: (node: Deno.lint.Node, name: string) => void): Deno.lint.LintVisitor {
  return {
    ImportDeclaration(node) {
      visit(node.source, node.source.value);
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) visit(node.source, node.source.value);
    },
    ExportAllDeclaration(node) {
      visit(node.source, node.source.value);
    },
    ImportExpression(node) {
      if (node.source.type === "Literal" && typeof node.source.value === "string") {
        visit(node.source, node.source.value);
      }
    },
    TSImportType(node) {
      const { argument } = node;
      if (argument.type === "TSLiteralType" && argument.literal.type === "Literal") {
        visit(node, String(argument.literal.value));
      }
    },
  };
}

/** Whether an identifier may stand for a global: it is no member, key or name of another thing. */
function isGlobalReference(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  const isAt = (other: Deno.lint.Node) =>
    other.range[0] === node.range[0] && other.range[1] === node.range[1];
  switch (parent.type) {
    case "MemberExpression":
    case "TSQualifiedName":
    case "ImportSpecifier":
    case "ExportSpecifier":
    case "MethodDefinition":
    case "PropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return false;
    case "Property":
      return !isAt(parent.key);
    case "VariableDeclarator":
      return !isAt(parent.id) && parent.id.type !== "ObjectPattern";
    default:
      return true;
  }
}

function memberName(node: Deno.lint.MemberExpression): string | undefined {
  if (node.property.type === "Identifier") return node.computed ? undefined : node.property.name;
  return node.property.type === "Literal" && typeof node.property.value === "string"
    ? node.property.value
    : undefined;
}

function isCore(file: string): boolean {
  return CORES.some((core) => file.startsWith(core));
}

/** The path of `file` within the checkout, or `undefined` outside it. */
function relative(file: string): string | undefined {
  return file.startsWith(ROOT) ? file.slice(ROOT.length) : undefined;
}
