import type { Files, Ipc } from "@coalmine/ports";

/** Where a device keeps keys: its secret manager's secrets, and files outside the work folder, both by name. */
export class KeyPlaces {
  readonly secrets = new Map<string, string | Uint8Array>();
  readonly files = new Map<string, Uint8Array>();
  /** How often a secret was asked for. */
  asked = 0;

  readonly getSecretValue: Ipc["getSecretValue"] = (secretId) => {
    this.asked++;
    const secret = this.secrets.get(secretId);
    if (secret === undefined)
      return Promise.reject(
        Object.assign(new Error(`no secret ${secretId}`), {
          name: "IpcError",
          code: "ResourceNotFoundError",
        }),
      );
    return Promise.resolve(typeof secret === "string" ? { secretString: secret } : { secretBinary: secret });
  };

  readonly foreign: Files["foreign"] = (folder) => {
    const unused = (): never => {
      throw new Error("keys are only read");
    };
    return {
      list: unused,
      status: unused,
      remove: unused,
      watch: unused,
      open: (name) => {
        const bytes = this.files.get(`${folder === "/" ? "" : folder}/${name}`);
        if (bytes === undefined)
          return Promise.reject(
            Object.assign(new Error(`ENOENT: no file ${folder}/${name}`), {
              name: "FileError",
              code: "ENOENT",
            }),
          );
        return Promise.resolve({
          read: (position, lengthBytes) => Promise.resolve(bytes.slice(position, position + lengthBytes)),
          size: () => Promise.resolve(bytes.length),
          close: () => Promise.resolve(),
          status: unused,
        });
      },
    };
  };
}
