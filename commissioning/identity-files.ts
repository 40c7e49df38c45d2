import { readFile } from "node:fs/promises";

/** A device's identity as TLS wants it. @throws where a file is not there. */
export async function readIdentity(files: {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly rootCaFile: string;
}): Promise<{ readonly certificatePem: string; readonly privateKeyPem: string; readonly rootCaPem: string }> {
  const read = (path: string): Promise<string> => readFile(path, "utf8");
  return {
    certificatePem: await read(files.certificateFile),
    privateKeyPem: await read(files.privateKeyFile),
    rootCaPem: await read(files.rootCaFile),
  };
}
