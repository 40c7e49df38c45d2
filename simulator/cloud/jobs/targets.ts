import { nameInArn } from "../iot/arn.ts";
import { invalid } from "../iot/operation.ts";
import type { Things } from "../iot/things.ts";

/** @throws ServiceError where one of the ARNs is of nothing that a job can have as a target. */
export function checkTargets(things: Things, targets: readonly string[]): void {
  for (const target of targets) {
    const group = nameInArn(target, "thinggroup");
    const thing = nameInArn(target, "thing");
    if (group !== undefined) things.groups.get(group);
    else if (thing !== undefined) things.thing(thing);
    else throw invalid(`The target ${target} is neither a thing nor a thing group.`);
  }
}

/** The things that they are now, sorted. */
export function thingsOf(things: Things, targets: readonly string[]): string[] {
  const names = targets.flatMap((target) => {
    const group = nameInArn(target, "thinggroup");
    if (group !== undefined) return things.groups.has(group) ? things.groups.thingsIn(group) : [];
    return [nameInArn(target, "thing") ?? ""];
  });
  return [...new Set(names)].sort();
}

export function isTarget(things: Things, targets: readonly string[], thingName: string): boolean {
  return targets.some((target) => {
    const group = nameInArn(target, "thinggroup");
    return group === undefined
      ? nameInArn(target, "thing") === thingName
      : things.groups.isIn(thingName, group);
  });
}
