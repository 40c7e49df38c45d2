import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { Operation, Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { iotArn } from "./arn.ts";
import { alreadyExists, notFound, operation, page } from "./operation.ts";

export interface RoleAlias {
  readonly roleAlias: string;
  readonly roleArn: string;
  readonly credentialDurationSeconds: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

const AliasInput = z.object({ roleAlias: z.string().regex(/^[\w=,@-]{1,128}$/) });
const Details = {
  roleArn: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/),
  credentialDurationSeconds: z.number().int().min(900).max(43_200).nullish(),
};

/** Names under which devices ask for the credentials of a role. */
export class RoleAliases {
  readonly table: Table<RoleAlias>;
  readonly #place: Place;
  readonly #clock: Clock;

  constructor(options: { readonly place: Place; readonly store: Store; readonly clock: Clock }) {
    this.#place = options.place;
    this.#clock = options.clock;
    this.table = options.store.table("iot-role-aliases");
  }

  arn(alias: string): string {
    return iotArn(this.#place, "rolealias", alias);
  }

  alias(name: string): RoleAlias {
    const alias = this.table.get(name);
    if (alias === undefined) throw notFound(`Role alias ${name}`);
    return alias;
  }

  operations(): Record<string, Operation> {
    const told = (roleAlias: string) => ({ roleAlias, roleAliasArn: this.arn(roleAlias) });
    return {
      CreateRoleAlias: operation(
        AliasInput.extend(Details),
        ({ roleAlias, roleArn, credentialDurationSeconds }) => {
          if (this.table.get(roleAlias) !== undefined)
            throw alreadyExists(`Role alias ${roleAlias}`, roleAlias, this.arn(roleAlias));
          const now = this.#clock.now();
          const seconds = credentialDurationSeconds ?? 3600;
          this.table.set(roleAlias, {
            roleAlias,
            roleArn,
            credentialDurationSeconds: seconds,
            createdAt: now,
            modifiedAt: now,
          });
          return told(roleAlias);
        },
      ),
      UpdateRoleAlias: operation(
        AliasInput.extend({ ...Details, roleArn: Details.roleArn.nullish() }),
        ({ roleAlias, roleArn, credentialDurationSeconds }) => {
          const former = this.alias(roleAlias);
          this.table.set(roleAlias, {
            ...former,
            roleArn: roleArn ?? former.roleArn,
            credentialDurationSeconds: credentialDurationSeconds ?? former.credentialDurationSeconds,
            modifiedAt: this.#clock.now(),
          });
          return told(roleAlias);
        },
      ),
      DescribeRoleAlias: operation(AliasInput, ({ roleAlias }) => {
        const alias = this.alias(roleAlias);
        return {
          roleAliasDescription: {
            ...told(roleAlias),
            roleArn: alias.roleArn,
            credentialDurationSeconds: alias.credentialDurationSeconds,
            creationDate: new Date(alias.createdAt),
            lastModifiedDate: new Date(alias.modifiedAt),
          },
        };
      }),
      DeleteRoleAlias: operation(AliasInput, ({ roleAlias }) => {
        this.alias(roleAlias);
        this.table.delete(roleAlias);
        return {};
      }),
      ListRoleAliases: operation(
        z.object({ pageSize: z.number().nullish(), marker: z.string().nullish() }),
        (input) => {
          const request = { maxResults: input.pageSize, nextToken: input.marker };
          const { items, nextToken } = page(this.table.entries(), ([name]) => name, request);
          return { roleAliases: items.map(([name]) => name), nextMarker: nextToken };
        },
      ),
    };
  }
}
