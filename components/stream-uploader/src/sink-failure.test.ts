import { expect, test } from "vitest";
import { classifyFile, classifyIpc } from "./sink-failure.ts";

test.each([
  ["InvalidArgumentsError", "poison"],
  ["UnauthorizedError", "blocked"],
  ["ServiceError", "retry"],
  ["Disconnected", "retry"],
])("IPC: %s is %s", (code, kind) => {
  expect(classifyIpc(Object.assign(new Error(code), { name: "IpcError", code })).kind).toBe(kind);
});

test.each([
  ["ENOSPC", "retry"],
  ["EROFS", "blocked"],
])("the disk: %s is %s", (code, kind) => {
  expect(classifyFile(Object.assign(new Error(code), { name: "FileError", code })).kind).toBe(kind);
});
