import type { Service } from "../service.ts";
import type { GreengrassService } from "./greengrass-service.ts";
import { greengrassError } from "./errors.ts";

type Tags = Readonly<Record<string, string>>;
const TAGS_MAX = 50;

/** Tags of component versions, deployments and core devices. */
export function tagOperations(
  service: Pick<GreengrassService, "components" | "deployments" | "coreDevices">,
): Service["operations"] {
  return {
    ListTagsForResource: (input) => ({ tags: tagged(service, input.resourceArn).tags }),
    TagResource: (input) => {
      const { tags, set } = tagged(service, input.resourceArn);
      const all = { ...tags, ...input.tags };
      if (Object.keys(all).length > TAGS_MAX)
        throw greengrassError.validation(`A resource has at most ${TAGS_MAX} tags.`, "tags");
      set(all);
      return {};
    },
    UntagResource: (input) => {
      const { tags, set } = tagged(service, input.resourceArn);
      const gone = new Set<string>(input.tagKeys);
      set(Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))));
      return {};
    },
  };
}

function tagged(
  { components, deployments, coreDevices }: Parameters<typeof tagOperations>[0],
  arn: unknown,
): { tags: Tags; set: (tags: Tags) => void } {
  const text = String(arn);
  const deploymentId = /:deployments:([\w-]+)$/.exec(text)?.[1];
  if (deploymentId !== undefined)
    return {
      tags: deployments.find(deploymentId).tags,
      set: (tags) => deployments.setTags(deploymentId, tags),
    };
  const thingName = /:coreDevices:([\w:-]+)$/.exec(text)?.[1];
  if (thingName !== undefined) {
    const device = coreDevices.get(thingName);
    if (device === undefined) throw greengrassError.notFound("CORE_DEVICE", text);
    return { tags: device.tags, set: (tags) => coreDevices.setTags(device, tags) };
  }
  const { stored } = components.find(text);
  if (stored === undefined) throw greengrassError.notFound("COMPONENT", text);
  return { tags: stored.tags, set: (tags) => components.setTags(stored, tags) };
}
