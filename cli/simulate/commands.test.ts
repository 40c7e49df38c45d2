import { dirname } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../command.fixture.ts";
import { exitCodes } from "../exit-codes.ts";
import { places } from "../system/state.ts";
import { addSimulateCommand } from "./commands.ts";

const at = places(dirname(dirname(import.meta.dirname)), {});
const simulate = (...words: string[]) =>
  runCommand((program) => addSimulateCommand(program, at), "simulate", ...words);

test.each([
  [["--regression", "slow"], /Allowed choices are crash-at-start, /],
  [["--seeds", "0"], /--seeds .*'0' is invalid\. It takes a whole number from 1 to 1000\./],
  [["--devices", "many"], /--devices .*'many' is invalid\. It takes a whole number from 1 to 10000\./],
  [["--first-seed", "1.5"], /--first-seed .*It takes a whole number/],
])("%j is refused before anything is built", async (words, sentence) => {
  const ran = await simulate(...words);
  expect(ran.err).toMatch(sentence);
  expect(ran.code).toBe(exitCodes.usage);
});
