import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Each takes minutes of one worker: begun last they would keep everybody waiting. */
const longest = [
  "pipeline/judge/gates/unchanged.test.ts",
  "commissioning/commission.test.ts",
  "pipeline/rollout/model.test.ts",
  "test/process-device.test.ts",
];

/** Without the times of an earlier run files go by their size; what is known to be long goes before them. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      longest.some((name) => moduleId.endsWith(name));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
