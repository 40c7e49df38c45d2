import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { DeviceConfiguration } from "./device-configuration.ts";
import { failed, type Finding, ok } from "./finding.ts";

const CHECK = "the device's identity";

/** Key and certificate: there, a pair, within their time, and nobody else's to read. */
export async function identityFiles(
  { certificateFile, privateKeyFile }: DeviceConfiguration,
  clock: Clock,
): Promise<Finding> {
  try {
    const certificate = new X509Certificate(await readFile(certificateFile));
    const { mode } = await stat(privateKeyFile);
    if ((mode & 0o077) !== 0)
      return failed(
        CHECK,
        "permission",
        `${privateKeyFile} has mode ${(mode & 0o777).toString(8)}: others may read the device's key`,
        `\`chmod 600 ${privateKeyFile}\`; if others could log in here, commission the device anew`,
      );
    if (!certificate.checkPrivateKey(createPrivateKey(await readFile(privateKeyFile))))
      return failed(
        CHECK,
        "other",
        `${privateKeyFile} is not the key of ${certificateFile}`,
        "commission the device anew; what it measured is kept",
      );
    const until = certificate.validToDate;
    if (until.getTime() < clock.now())
      return failed(
        CHECK,
        "other",
        `the certificate ended at ${until.toISOString()}, and the clock says ${new Date(clock.now()).toISOString()}`,
        "compare the clock with a watch; if it is right, commission the device anew",
      );
    return ok(CHECK, `key and certificate are a pair, valid until ${until.toISOString()}`);
  } catch (failure) {
    return failed(CHECK, "permission", messageOf(failure), "run this as root, or commission the device");
  }
}
