import type { Clock } from "@coalmine/ports";
import type { Service } from "../service.ts";
import type { Table } from "../store/store.ts";
import { greengrassError } from "./errors.ts";

export interface ServiceRole {
  readonly roleArn: string;
  readonly associatedAt: string;
}

/** The role by which Greengrass sees to client devices in this region. It is kept and told; nothing is done by it. */
export function serviceRoleOperations(table: Table<ServiceRole>, clock: Clock): Service["operations"] {
  return {
    AssociateServiceRoleToAccount: ({ roleArn }) => {
      if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(String(roleArn)))
        throw greengrassError.validation(`The role ARN ${String(roleArn)} is not valid.`);
      const associatedAt = new Date(clock.now()).toISOString();
      table.set("role", { roleArn: String(roleArn), associatedAt });
      return { associatedAt };
    },
    GetServiceRoleForAccount: () => {
      const role = table.get("role");
      if (role === undefined)
        throw greengrassError.notFound(
          "SERVICE_ROLE",
          "account",
          "You need to attach a service role to this account.",
        );
      return { ...role };
    },
    DisassociateServiceRoleFromAccount: () => {
      table.delete("role");
      return { disassociatedAt: new Date(clock.now()).toISOString() };
    },
  };
}
