import type { CommissionOptions } from "./options.ts";

type Named = Pick<CommissionOptions, "componentDefaultUser">;

/** As root the core device needs to be told whom components run as; the installer of the nucleus names this user too. */
export function withUser<Settings extends Named>(settings: Settings): Settings {
  return process.getuid?.() === 0 ? { componentDefaultUser: "ggc_user:ggc_group", ...settings } : settings;
}
