import type { Instant } from "@coalmine/ports";
import type { DeploymentDocument } from "@coalmine/recipe";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { isObject, textMember } from "../json.ts";
import type { Root } from "./dependency-resolution.ts";

const ROOTS = ["services", "DeploymentService", "GroupToRootComponents"];
const LAST = ["services", "DeploymentService", "GroupToLastDeployment"];
const MEMBERSHIP = ["services", "DeploymentService", "GroupMembership"];
export const LOCAL_GROUP = "LOCAL_DEPLOYMENT";

/** What each group of this device asked for last; it lives in the configuration, and is rolled back with it. */
export class GroupRecords {
  readonly #tree: ConfigurationTree;

  constructor(tree: ConfigurationTree) {
    this.#tree = tree;
  }

  rootsOf(group: string): readonly Root[] {
    return Object.entries(this.#tree.getObject([...ROOTS, group])).flatMap(([component, record]) => {
      const version = isObject(record) ? textMember(record, "version") : undefined;
      return version === undefined ? [] : [{ component, version, group }];
    });
  }

  groups(): readonly string[] {
    return Object.keys(this.#tree.getObject(ROOTS));
  }

  lastTimestampOf(group: string): Instant | undefined {
    return this.#tree.getNumber([...LAST, group, "timestamp"]);
  }

  membership(): readonly string[] {
    return Object.keys(this.#tree.getObject(MEMBERSHIP));
  }

  /** Configuration ARNs of the groups that ask for a component; a local deployment has none. */
  arnsOf(component: string): readonly string[] {
    return this.groups().flatMap((group) => {
      const arn = this.#tree.getText([...ROOTS, group, component, "groupConfigArn"]);
      return arn?.startsWith("arn:") === true ? [arn] : [];
    });
  }

  isRoot(component: string): boolean {
    return this.groups().some((group) => this.#tree.find([...ROOTS, group, component]) !== undefined);
  }

  /** Records a deployment that the device has taken on, and forgets groups it has left. */
  record(group: string, document: DeploymentDocument, memberOf: readonly string[], now: Instant): void {
    const tree = this.#tree;
    const arn = document.configurationArn;
    tree.remove([...ROOTS, group], now);
    tree.merge([...ROOTS, group], {}, now);
    for (const [component, { version }] of Object.entries(document.components))
      tree.merge([...ROOTS, group, component], { version, groupConfigArn: arn, groupConfigName: group }, now);
    tree.set([...LAST, group], { timestamp: document.creationTimestampMs, configArn: arn }, now);
    for (const known of this.groups())
      if (known !== group && !memberOf.includes(known)) tree.remove([...ROOTS, known], now);
    tree.remove(MEMBERSHIP, now);
    for (const member of memberOf) tree.merge([...MEMBERSHIP, member], {}, now);
  }
}
