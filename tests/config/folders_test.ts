import { equal, throws } from "node:assert/strict";
import { clientConfigFolder, type Environment, serverDataFolder } from "../../lib/config/folders.ts";
import { test } from "../sanitized.ts";

test("the data folder is that of XDG, else below the home", () => {
  equal(serverDataFolder(having({ XDG_DATA_HOME: "/data", HOME: "/home/ann" })), "/data/sotto-server");
  equal(serverDataFolder(having({ HOME: "/home/ann" })), "/home/ann/.local/share/sotto-server");
});

test("an XDG folder that is empty or relative counts as unset", () => {
  for (const folder of ["", "data", "./data"]) {
    equal(
      serverDataFolder(having({ XDG_DATA_HOME: folder, HOME: "/home/ann" })),
      "/home/ann/.local/share/sotto-server",
    );
    equal(
      clientConfigFolder(having({ XDG_CONFIG_HOME: folder, HOME: "/home/ann" }), "linux"),
      "/home/ann/.config/sotto",
    );
  }
});

test("the client's folder is SOTTO_CONFIG_DIR, else that of XDG, else below the home", () => {
  const home = { HOME: "/home/ann" };
  const xdg = { ...home, XDG_CONFIG_HOME: "/config" };
  equal(clientConfigFolder(having({ ...xdg, SOTTO_CONFIG_DIR: ".sotto/client" }), "darwin"), ".sotto/client");
  equal(clientConfigFolder(having({ ...xdg, SOTTO_CONFIG_DIR: "" }), "linux"), "/config/sotto");
  equal(clientConfigFolder(having(home), "linux"), "/home/ann/.config/sotto");
});

test("on Windows the client's folder is below APPDATA, which is asked for there only", () => {
  const windows = having({ APPDATA: "C:\\Users\\ann\\AppData\\Roaming", HOME: "/home/ann" });
  equal(clientConfigFolder(windows, "windows"), "C:\\Users\\ann\\AppData\\Roaming\\sotto");
  equal(clientConfigFolder(having({ SOTTO_CONFIG_DIR: "D:\\sotto" }), "windows"), "D:\\sotto");
  const strict: Environment = (name) => {
    if (name === "APPDATA") throw new Error("asked for APPDATA");
    return name === "HOME" ? "/home/ann" : undefined;
  };
  equal(clientConfigFolder(strict, "linux"), "/home/ann/.config/sotto");
});

test("without a home there is a sentence that says what to set", () => {
  for (const environment of [having({}), having({ HOME: "" })]) {
    throws(() => serverDataFolder(environment), {
      name: "Failure",
      exit: "config",
      message:
        "Cannot choose a data folder: neither XDG_DATA_HOME nor HOME is set; set one, or give --data-dir.",
    });
    throws(() => clientConfigFolder(environment, "linux"), {
      exit: "config",
      message: /HOME are not set; set one/,
    });
    throws(() => clientConfigFolder(environment, "windows"), {
      exit: "config",
      message: /nor APPDATA is set; /,
    });
  }
});

function having(names: Readonly<Record<string, string>>): Environment {
  return (name) => names[name];
}
