import { join } from "node:path";
import { componentNames } from "@coalmine/contract";
import { SITE_CALIBRATIONS_FILE } from "@coalmine/instrument/guided-calibration/site-calibrations";
import type { CommissionOptions } from "./options.ts";

/** Where everything lies. The core device reads `config`, `thing` and nothing else of it. */
export interface Places {
  readonly privateKey: string;
  readonly signingRequest: string;
  readonly certificate: string;
  /** While the certificate changes: the key and certificate to come. They go when the old one has. */
  readonly nextPrivateKey: string;
  readonly nextCertificate: string;
  readonly rootCa: string;
  readonly configuration: string;
  readonly journal: string;
  /** Opens the way from a certificate to a thing, once and within the hour; a secret, so not in the journal. */
  readonly ownershipToken: string;
  readonly reportJson: string;
  readonly reportText: string;
  /** The one file that holds the claim code; erased when the device needs it no more. */
  readonly claimCode: string;
  /** How the building's proxy is used; its password is on no other file but the core device's configuration. */
  readonly proxy: string;
  /** A folder for each adapter that joins by a certificate (802.1X). */
  readonly eap: string;
  /** Both are gone once it is installed. */
  readonly nucleusArchive: string;
  readonly nucleusFolder: string;
  readonly reportHtml: string;
  readonly reportPdf: string;
  /** The report's hash and the device's signature over it. */
  readonly reportSeal: string;
  /** Where sensor-reader looks for them, in its own work folder. */
  readonly siteCalibrations: string;
  readonly label: Readonly<Record<"svg" | "png" | "pdf" | "zpl203" | "zpl300", string>>;
}

export function placesOf({ root, claimCodeFile }: Pick<CommissionOptions, "root" | "claimCodeFile">): Places {
  const own = (name: string): string => join(root, "commissioning", name);
  const thing = (name: string): string => join(root, "thing", name);
  return {
    privateKey: thing("private.pem.key"),
    signingRequest: thing("device.csr"),
    certificate: thing("device.pem.crt"),
    nextPrivateKey: thing("next.pem.key"),
    nextCertificate: thing("next.pem.crt"),
    rootCa: thing("AmazonRootCA1.pem"),
    configuration: join(root, "config", "config.yaml"),
    journal: own("journal.json"),
    ownershipToken: own("ownership-token"),
    reportJson: own("report.json"),
    reportText: own("report.txt"),
    claimCode: claimCodeFile ?? own("claim-code"),
    proxy: own("proxy.json"),
    eap: own("eap"),
    nucleusArchive: own("nucleus.zip"),
    nucleusFolder: own("nucleus"),
    reportHtml: own("report.html"),
    reportPdf: own("report.pdf"),
    reportSeal: own("report.seal.json"),
    siteCalibrations: join(root, "work", componentNames.sensorReader, SITE_CALIBRATIONS_FILE),
    label: {
      svg: own("label.svg"),
      png: own("label.png"),
      pdf: own("label.pdf"),
      zpl203: own("label-203dpi.zpl"),
      zpl300: own("label-300dpi.zpl"),
    },
  };
}
