import { type DeviceRow, type DeviceState, deviceStates, type Fleet } from "@coalmine/contract/operator-api";
import { durationText } from "../../pipeline/judge/verdict.ts";
import { paint } from "../command/paint.ts";

const colours = {
  well: "green",
  updating: "green",
  offline: "yellow",
  silent: "red",
  failing: "red",
  unseen: "yellow",
} as const satisfies Record<DeviceState, string>;

export function fleetLines(fleet: Fleet): string[] {
  const { devices, byState, groups, seen, rollout } = fleet;
  const states = deviceStates.flatMap((state) =>
    byState[state] === 0 ? [] : [stateText(state, `${byState[state]} ${state}`)],
  );
  const facts = [
    `${devices} devices${states.length === 0 ? "" : `: ${states.join(", ")}`}`,
    heardText(seen),
    ...(rollout === undefined ? [] : [`rollout ${rollout} goes on`]),
  ];
  return [
    `${paint("bold", fleet.fleet)} (${fleet.region}): ${facts.join("; ")}`,
    ...groups.map(({ group, cohort, devices: members, inForce }) =>
      inForce === undefined
        ? `  ${group} (${cohort}): ${members} devices, no revision yet`
        : `  ${group} (${cohort}): ${members} devices, revision ${inForce.revision}: ${Object.entries(
            inForce.components,
          )
            .map(([component, version]) => `${component} ${version}`)
            .join(", ")}`,
    ),
  ];
}

export function versionLines({ installed }: Fleet): string[] {
  return installed.map(
    ({ component, version, canary, main, drifted }) =>
      `  ${component} ${version}: ${canary} canary, ${main} main${drifted === 0 ? "" : paint("yellow", `, ${drifted} DRIFTED`)}`,
  );
}

export function rowText({ fleet, thing, cohort, state, because, seen, site }: DeviceRow): string {
  const health = stateText(state, because === undefined ? state : `${state} (${because})`);
  return [fleet, thing, cohort, health, heardText(seen), ...(site === undefined ? [] : [site])].join("  ");
}

function heardText(seen: DeviceRow["seen"]): string {
  return seen === undefined ? "never heard" : `heard ${durationText(seen.ageMs)} ago`;
}

function stateText(state: DeviceState, text: string): string {
  return paint(colours[state], text);
}
