import { expect, test } from "vitest";
import { withoutGit } from "./without-git.ts";

test("git's own variables go, everything else stays", () => {
  expect(withoutGit({ GIT_DIR: ".", GIT_QUARANTINE_PATH: "x", PATH: "/bin", DIGIT_: "1" })).toEqual({
    PATH: "/bin",
    DIGIT_: "1",
  });
});
