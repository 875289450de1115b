import { equal, ok, rejects } from "node:assert/strict";
import { orFailure, outputFault, refusal } from "../../lib/store/file_failure.ts";
import { Failure } from "../../lib/text/failure.ts";
import { test } from "../sanitized.ts";

test("each refusal of the system is told in plain words", () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  equal(refusal(full), "the disk is full");
  equal(refusal(Object.assign(new Error("x"), { code: "EROFS" })), "the disk can only be read");
  equal(refusal(new Deno.errors.PermissionDenied("os error 13")), "permission denied");
  equal(refusal(new Deno.errors.NotFound("os error 2")), "there is no such file or folder");
  equal(refusal(new Deno.errors.NotCapable("Requires all access")), "this program may not go there");
  equal(refusal(Object.assign(new Error("odd \u001b[2J"), { code: "EODD" })), "odd ␛[2J");
  equal(refusal("odd"), "odd");
});

test("a failure keeps its cause, and one that is told already passes as it is", async () => {
  const told = { exit: "cannotCreate", cannot: "Cannot write x", remedy: "choose y" } as const;
  const cause = new Deno.errors.PermissionDenied("os error 13");
  await rejects(orFailure(() => Promise.reject(cause), told), {
    name: "Failure",
    exit: "cannotCreate",
    message: "Cannot write x: permission denied; choose y.",
    cause,
  });
  const own = new Failure("data", "Cannot x: y; z.");
  await rejects(orFailure(() => Promise.reject(own), told), (error) => error === own);
  equal(await orFailure(() => Promise.resolve(1), told), 1);
});

test("an output that takes no more is told like a file; one that nobody reads is not", () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  const fault = outputFault(full);
  ok(fault instanceof Failure);
  equal(fault.exit, "cannotCreate");
  equal(fault.message, "Cannot write the output: the disk is full; make room, or send it elsewhere.");
  for (const gone of [new Deno.errors.BrokenPipe("x"), Object.assign(new Error("x"), { code: "EPIPE" })]) {
    equal(outputFault(gone), gone);
  }
});
