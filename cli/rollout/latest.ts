import { ApiError } from "../../api/api-error.ts";
import type { Api } from "../../api/api.ts";
import { listRollouts } from "../../api/describe.ts";

/** The name of the newest one. @throws ApiError where there is none */
export async function latest(api: Api): Promise<string> {
  const [newest] = await listRollouts(api, { limit: 1 });
  if (newest !== undefined) return newest.rollout;
  throw new ApiError(
    "ERR_API_NOT_FOUND",
    "there is no rollout yet; push something: `git push fleet HEAD:main`, with the remote that `coalmine up` names, or on AWS to the repository of its pipeline",
  );
}
