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
  [["--regression", "slow"], /no regression "slow"; take one of crash-at-start, /],
  [["--seeds", "0"], /--seeds takes a whole number from 1 to 1000, not 0/],
  [["--devices", "many"], /--devices takes a whole number from 1 to 10000, not NaN/],
  [["--first-seed", "1.5"], /--first-seed takes a whole number/],
])("%j is refused before anything is built", async (words, sentence) => {
  const ran = await simulate(...words);
  expect(ran.err).toMatch(sentence);
  expect(ran.code).toBe(exitCodes.usage);
});
