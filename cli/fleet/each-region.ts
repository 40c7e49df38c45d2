import { closeRegion, type Region } from "../../pipeline/controller/region.ts";
import { asking } from "../rollout/local-api.ts";
import { openRegions } from "../system/release.ts";
import { SystemError, type Places } from "../system/state.ts";

/** What each target's region answers, with the time on its clock; of one alone where it is named. */
export async function eachRegion<Answer>(
  at: Places,
  fleet: string | undefined,
  ask: (region: Region, nowMs: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  await asking(at, async ({ targets, time }) => {
    const meant = targets.filter(({ name }) => fleet === undefined || name === fleet);
    if (meant.length === 0)
      throw new SystemError(
        "ERR_NO_SUCH_FLEET",
        `there is no fleet "${fleet}"; take one of ${targets.map(({ name }) => name).join(", ")}`,
      );
    const regions = openRegions(meant);
    try {
      answers.push(
        ...(await Promise.all(regions.map(async (region) => ask(region, await time.now(region.target))))),
      );
    } finally {
      regions.forEach(closeRegion);
    }
  });
  return answers;
}
