/**
 * docs/roles.md, made of the table that the rules read.
 *
 * @module
 */

import { ACTS, PARTIES, type Right } from "../../lib/chat/acts.ts";
import { DIRECT_UNANSWERED_MAX } from "../../lib/chat/direct_rules.ts";

/** The page. */
export const ROLES_PAGE = "docs/roles.md";

/** What a cell says. */
const CELLS: Readonly<Record<Right, string>> = { yes: "yes", own: "own", below: "below", no: "–" };

const HEAD = `# Who may do what

In an open room each account has a role; whoever is not in it is an outsider. The server's rules read this table
(\`lib/chat/acts.ts\`), a test tries every cell of it, and this page is made of it, so it is not written by hand.

- **yes**: always, where nothing said below stands against it.
- **own**: with what is one's own alone: one's own message, invitation or knock.
- **below**: to those alone who are below oneself: of a role further right, or not in the room. Nobody acts on their equals,
  so an owner can be made less by nobody but themselves.
- **–**: never.
`;

const FOOT = `
What stands against it:

- A room has an owner as long as it has members. The last owner steps down only after making another one, and leaves only
  then, or when nobody else is in. Where an owner's account is removed, the operator who has been in the room longest becomes the
  owner, else the member. Whoever comes into a room in which nobody is owns it.
- In a lockdown nobody below an operator speaks, edits or reacts, and nobody comes in; nor does the server bring anybody into
  \`#lobby\` then, while others are there. In slow mode members wait between two messages; owners and operators do not.
- A private room is come into by invitation, or by knocking and being let in. Whoever is banned does neither.
- Leaving ends neither a mute nor a ban.
- \`#lobby\` is neither renamed nor made private. The server brings new accounts into it, and its owner as the room's owner.
- What the server itself says in a log, as that it was restored from a backup, is deleted by nobody.

Each act is an entry of the room's log under its author's name, but for what only the server could tell: who sees the room
sees who did what. What moderation does can be undone: bans and mutes are lifted, invitations taken back, roles given back,
and who was put out may come again.

A direct conversation has no roles. Its two people talk, reply, react, put files, and edit and delete their own words. Until
the one who was asked takes it up, the other may add ${DIRECT_UNANSWERED_MAX} entries to it, and none once refused. Whoever has
blocked the other is told nothing more by them.
`;

/** The page's text. */
export function rolesPage(): string {
  const headings = ["act", ...PARTIES];
  const rows = Object.values(ACTS).map((act) => [act.what, ...PARTIES.map((party) => CELLS[act[party]])]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((cells) => cells[column]?.length ?? 0))
  );
  const lines = [headings, widths.map((width) => "-".repeat(width)), ...rows].map((cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  );
  return `${HEAD}\n${lines.join("\n")}\n${FOOT}`;
}
