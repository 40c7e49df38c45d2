import * as z from "zod";
import type { Operation } from "../service.ts";
import { nameInArn } from "./arn.ts";
import { invalid, Name, operation, page } from "./operation.ts";
import { policyTargets } from "./permissions.ts";
import type { Policies, Policy } from "./policies.ts";
import type { Certificates } from "./certificates.ts";
import type { Things } from "./things.ts";

const PolicyName = z.string().regex(/^[\w+=,.@-]{1,128}$/);
const PolicyInput = z.object({ policyName: PolicyName });
const VersionInput = z.object({ policyName: PolicyName, policyVersionId: z.string().regex(/^\d+$/) });
const TargetInput = z.object({ policyName: PolicyName, target: z.string() });

export function policyOperations(
  policies: Policies,
  certificates: Certificates,
  things: Things,
): Record<string, Operation> {
  /** `cert/<id>` or `thinggroup/<name>` of an ARN. */
  const targetOf = (arn: string): string => {
    const certificateId = nameInArn(arn, "cert");
    const group = nameInArn(arn, "thinggroup");
    if (certificateId !== undefined) certificates.certificate(certificateId);
    else if (group === undefined) throw invalid(`${arn} is neither a certificate nor a thing group.`);
    else {
      things.groups.get(group);
      things.groups.checkKind(group, false);
    }
    return certificateId === undefined ? `thinggroup/${group}` : `cert/${certificateId}`;
  };
  const summary = ({ policyName }: Policy) => ({ policyName, policyArn: policies.arn(policyName) });
  const named = (policyName: string) => ({ policyName, policyArn: policies.arn(policyName) });
  const attach = operation(TargetInput, ({ policyName, target }) => {
    policies.policy(policyName);
    policies.attached.add(policyName, targetOf(target));
    return {};
  });
  return {
    CreatePolicy: operation(
      z.object({ policyName: PolicyName, policyDocument: z.string() }),
      ({ policyName, policyDocument }) => {
        policies.create(policyName, policyDocument);
        return { ...named(policyName), policyDocument, policyVersionId: "1" };
      },
    ),
    GetPolicy: operation(PolicyInput, ({ policyName }) => {
      const policy = policies.policy(policyName);
      return {
        ...summary(policy),
        policyDocument: policies.version(policyName, policy.defaultVersionId).document,
        defaultVersionId: policy.defaultVersionId,
        creationDate: new Date(policy.createdAt),
        generationId: String(policy.lastVersion),
      };
    }),
    ListPolicies: operation(
      z.object({ pageSize: z.number().nullish(), marker: z.string().nullish() }),
      (input) => {
        const request = { maxResults: input.pageSize, nextToken: input.marker };
        const { items, nextToken } = page(policies.policies.entries(), ([name]) => name, request);
        return { policies: items.map(([, policy]) => summary(policy)), nextMarker: nextToken };
      },
    ),
    DeletePolicy: operation(PolicyInput, ({ policyName }) => {
      policies.delete(policyName);
      return {};
    }),
    CreatePolicyVersion: operation(
      z.object({ policyName: PolicyName, policyDocument: z.string(), setAsDefault: z.boolean().nullish() }),
      ({ policyName, policyDocument, setAsDefault }) => {
        const policyVersionId = policies.createVersion(policyName, policyDocument, setAsDefault === true);
        return {
          policyArn: policies.arn(policyName),
          policyDocument,
          policyVersionId,
          isDefaultVersion: setAsDefault === true,
        };
      },
    ),
    GetPolicyVersion: operation(VersionInput, ({ policyName, policyVersionId }) => {
      const version = policies.version(policyName, policyVersionId);
      return {
        ...named(policyName),
        policyVersionId,
        policyDocument: version.document,
        isDefaultVersion: policies.policy(policyName).defaultVersionId === policyVersionId,
        creationDate: new Date(version.createdAt),
      };
    }),
    ListPolicyVersions: operation(PolicyInput, ({ policyName }) => {
      const policy = policies.policy(policyName);
      return {
        policyVersions: Object.entries(policy.versions).map(([versionId, { createdAt }]) => ({
          versionId,
          isDefaultVersion: versionId === policy.defaultVersionId,
          createDate: new Date(createdAt),
        })),
      };
    }),
    SetDefaultPolicyVersion: operation(VersionInput, ({ policyName, policyVersionId }) => {
      policies.setDefault(policyName, policyVersionId);
      return {};
    }),
    DeletePolicyVersion: operation(VersionInput, ({ policyName, policyVersionId }) => {
      policies.deleteVersion(policyName, policyVersionId);
      return {};
    }),
    AttachPolicy: attach,
    DetachPolicy: operation(TargetInput, ({ policyName, target }) => {
      policies.policy(policyName);
      policies.attached.delete(policyName, targetOf(target));
      return {};
    }),
    ListAttachedPolicies: operation(z.object({ target: z.string() }), ({ target }) => ({
      policies: policies.attached.leftOf(targetOf(target)).map(named),
    })),
    GetEffectivePolicies: operation(
      z.object({ principal: z.string().nullish(), thingName: Name.nullish() }),
      ({ principal, thingName }) => {
        if (typeof thingName === "string") things.thing(thingName);
        const certificateId =
          typeof principal === "string" ? (nameInArn(principal, "cert") ?? principal) : undefined;
        if (certificateId !== undefined) certificates.certificate(certificateId);
        const targets = policyTargets(things, certificateId, thingName ?? undefined);
        const names = new Set(targets.flatMap((target) => policies.attached.leftOf(target)));
        const effectivePolicies = [...names].sort().map((policyName) => {
          const { defaultVersionId } = policies.policy(policyName);
          return {
            ...named(policyName),
            policyDocument: policies.version(policyName, defaultVersionId).document,
          };
        });
        return { effectivePolicies };
      },
    ),
    ListTargetsForPolicy: operation(
      z.object({ policyName: PolicyName, marker: z.string().nullish(), pageSize: z.number().nullish() }),
      (input) => {
        policies.policy(input.policyName);
        const request = { maxResults: input.pageSize, nextToken: input.marker };
        const { items, nextToken } = page(
          policies.attached.rightOf(input.policyName),
          (target) => target,
          request,
        );
        const { region, accountId } = policies.place;
        return {
          targets: items.map((target) => `arn:aws:iot:${region}:${accountId}:${target}`),
          nextMarker: nextToken,
        };
      },
    ),
  };
}
