import { X509Certificate } from "node:crypto";
import * as z from "zod";
import type { Operation } from "../service.ts";
import { nameInArn } from "./arn.ts";
import { type Certificate, type Certificates, certificateStatuses } from "./certificates.ts";
import { deleteConflict, invalid, Name, operation, page } from "./operation.ts";
import type { Policies } from "./policies.ts";
import type { Things } from "./things.ts";

/** Who signs certificates for AWS IoT: our own authority. */
export interface Issuer {
  signCsr(csrPem: string): string;
  keysAndCertificate(): { certificatePem: string; publicKeyPem: string; privateKeyPem: string };
}

const CertificateInput = z.object({ certificateId: z.string().regex(/^[0-9a-f]{64}$/) });
const PrincipalInput = z.object({ thingName: Name, principal: z.string() });

export function certificateOperations(
  certificates: Certificates,
  things: Things,
  policies: Policies,
  issuer: Issuer,
): Record<string, Operation> {
  const statusOf = (setAsActive: boolean | null | undefined) =>
    setAsActive === true ? "ACTIVE" : "INACTIVE";
  const told = ({ certificateId, certificatePem }: Certificate) => ({
    certificateId,
    certificateArn: certificates.arn(certificateId),
    certificatePem,
  });
  const principalId = (arn: string): string => {
    const certificateId = nameInArn(arn, "cert");
    if (certificateId === undefined) throw invalid(`${arn} is not the ARN of a certificate.`);
    return certificates.certificate(certificateId).certificateId;
  };
  return {
    CreateKeysAndCertificate: operation(z.object({ setAsActive: z.boolean().nullish() }), (input) => {
      const { certificatePem, publicKeyPem, privateKeyPem } = issuer.keysAndCertificate();
      const certificate = certificates.register(certificatePem, statusOf(input.setAsActive));
      return { ...told(certificate), keyPair: { PublicKey: publicKeyPem, PrivateKey: privateKeyPem } };
    }),
    CreateCertificateFromCsr: operation(
      z.object({ certificateSigningRequest: z.string(), setAsActive: z.boolean().nullish() }),
      (input) => {
        const certificatePem = issuer.signCsr(input.certificateSigningRequest);
        return told(certificates.register(certificatePem, statusOf(input.setAsActive)));
      },
    ),
    RegisterCertificateWithoutCA: operation(
      z.object({ certificatePem: z.string(), status: z.enum(certificateStatuses).nullish() }),
      (input) => {
        const { certificateId, certificateArn } = told(
          certificates.register(input.certificatePem, input.status ?? "INACTIVE"),
        );
        return { certificateId, certificateArn };
      },
    ),
    UpdateCertificate: operation(
      CertificateInput.extend({ newStatus: z.enum(certificateStatuses) }),
      ({ certificateId, newStatus }) => {
        certificates.setStatus(certificateId, newStatus);
        return {};
      },
    ),
    DeleteCertificate: operation(
      CertificateInput.extend({ forceDelete: z.boolean().nullish() }),
      ({ certificateId, forceDelete }) => {
        certificates.certificate(certificateId);
        const target = `cert/${certificateId}`;
        if (things.principals.leftOf(certificateId).length > 0)
          throw deleteConflict("Things must be detached before deletion of the certificate.");
        const attached = policies.attached.leftOf(target);
        if (attached.length > 0 && forceDelete !== true)
          throw deleteConflict("Policies must be detached before deletion of the certificate.");
        certificates.delete(certificateId);
        for (const policy of attached) policies.attached.delete(policy, target);
        return {};
      },
    ),
    DescribeCertificate: operation(CertificateInput, ({ certificateId }) => {
      const certificate = certificates.certificate(certificateId);
      const pem = certificate.certificatePem;
      const read = pem === undefined ? undefined : new X509Certificate(pem);
      return {
        certificateDescription: {
          ...told(certificate),
          status: certificate.status,
          creationDate: new Date(certificate.createdAt),
          lastModifiedDate: new Date(certificate.modifiedAt),
          certificateMode: "DEFAULT",
          validity:
            read === undefined ? undefined : { notBefore: read.validFromDate, notAfter: read.validToDate },
        },
      };
    }),
    ListCertificates: operation(
      z.object({ pageSize: z.number().nullish(), marker: z.string().nullish() }),
      (input) => {
        const request = { maxResults: input.pageSize, nextToken: input.marker };
        const { items, nextToken } = page(certificates.certificates.entries(), ([id]) => id, request);
        return {
          certificates: items.map(([certificateId, { status, createdAt }]) => ({
            certificateId,
            certificateArn: certificates.arn(certificateId),
            status,
            creationDate: new Date(createdAt),
          })),
          nextMarker: nextToken,
        };
      },
    ),
    AttachThingPrincipal: operation(PrincipalInput, ({ thingName, principal }) => {
      things.thing(thingName);
      things.principals.add(thingName, principalId(principal));
      return {};
    }),
    DetachThingPrincipal: operation(PrincipalInput, ({ thingName, principal }) => {
      things.thing(thingName);
      things.principals.delete(thingName, principalId(principal));
      return {};
    }),
    ListThingPrincipals: operation(z.object({ thingName: Name }), ({ thingName }) => {
      things.thing(thingName);
      return { principals: things.principals.rightOf(thingName).map((id) => certificates.arn(id)) };
    }),
    ListPrincipalThings: operation(z.object({ principal: z.string() }), ({ principal }) => ({
      things: things.principals.leftOf(principalId(principal)),
    })),
  };
}
