import { deepEqual } from "node:assert/strict";
import { portAndRest } from "../../tools/start.ts";
import { test } from "../sanitized.ts";

test("start gives --port to the server and the rest to the client", () => {
  deepEqual(portAndRest(["--user", "ann"]), { port: "0", rest: ["--user", "ann"] });
  deepEqual(portAndRest(["--port", "9000", "--user", "ann"]), { port: "9000", rest: ["--user", "ann"] });
  deepEqual(portAndRest(["--user", "ann", "--port=9000"]), { port: "9000", rest: ["--user", "ann"] });
  deepEqual(portAndRest(["--port"]), { port: "0", rest: ["--port"] });
});
