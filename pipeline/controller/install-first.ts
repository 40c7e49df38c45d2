import type { Clock, JsonObject } from "@coalmine/ports";
import { EvidenceStore } from "../evidence/evidence-store.ts";
import { changesOf, type ReleaseManifest } from "../release.ts";
import { type ComponentSpec, nextDeployment } from "../rollout/deployment.ts";
import { checkSigned } from "../supply/signed-release.ts";
import type { Signers } from "../supply/signers.ts";
import { deployOnce } from "./deployments.ts";
import { ensureGroups, runningRevision } from "./fleet.ts";
import type { Region } from "./region.ts";
import { AppendConflict, RolloutLog } from "./rollout-log.ts";

const TIMEOUT_MINUTES = 60;

export interface FirstInstallation {
  readonly target: string;
  readonly group: string;
  readonly deploymentId: string;
  readonly how: "created" | "was there";
}

export interface InstallOptions {
  /** Target → component → what it is configured with beyond its recipe's defaults. */
  readonly configuration?: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  /** Whose signature the release needs; without any it needs none. */
  readonly signers?: Signers | undefined;
}

/**
 * The first release of a fleet: nothing runs that it could be compared with or go back to, so it goes to both groups at
 * once, and the audit log says who did it. Where something runs already, nothing is touched. May be repeated.
 * @throws SupplyError before anything is deployed, where a version in some region is not what was signed
 */
export async function installFirst(
  regions: readonly [Region, ...Region[]],
  release: ReleaseManifest,
  who: string,
  clock: Clock,
  { configuration = {}, signers }: InstallOptions = {},
): Promise<FirstInstallation[]> {
  const installed: FirstInstallation[] = [];
  const id = `install-${release.commit.slice(0, 12)}`;
  if (signers !== undefined)
    for (const region of regions) await checkSigned(region, release.components, {}, signers);
  for (const region of regions) {
    const { name, mainGroup, canaryGroup } = region.target;
    const configured = Object.entries(configuration[name] ?? {}).map(
      ([component, merge]): [string, ComponentSpec] => [
        component,
        { version: release.components[component] ?? "", merge },
      ],
    );
    // What is configured counts as running already, so that this release and later ones keep it.
    const changes = changesOf(release, Object.fromEntries(configured));
    const { components } = nextDeployment({}, changes, { allowRemoval: false });
    await ensureGroups(region, [mainGroup, canaryGroup]);
    await new EvidenceStore(region.dynamodb, name).ensure(clock);
    // The main group last: once it has a revision, the target counts as installed.
    const main = await runningRevision(region, mainGroup);
    for (const group of [canaryGroup, mainGroup]) {
      const running = await runningRevision(region, group);
      const deploymentId =
        running?.deploymentId ??
        (await deployOnce(
          region,
          group,
          `${id}/${name}/${group}`,
          main?.components ?? components,
          TIMEOUT_MINUTES,
        ));
      installed.push({
        target: name,
        group,
        deploymentId,
        how: running === undefined ? "created" : "was there",
      });
    }
  }
  if (installed.every(({ how }) => how === "was there")) return installed;
  const log = new RolloutLog(regions[0].dynamodb, clock);
  await log.ensure();
  try {
    await log.create(id, release.commit, {
      kind: "installedFirst",
      who,
      release,
      deployments: installed.map(({ target, group, deploymentId }) => ({ target, group, deploymentId })),
    });
  } catch (failure) {
    // Recorded by an earlier attempt, which another target's part was missing from.
    if (!(failure instanceof AppendConflict)) throw failure;
  }
  return installed;
}
