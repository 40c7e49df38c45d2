import type { RunProgram } from "@coalmine/site/program";
import { CommissioningRefused } from "../refusal.ts";

/** Has systemd start the core device anew: it reads key and certificate when it starts, and never again. */
export async function restart(run: RunProgram, service: string): Promise<void> {
  const { code, stderr } = await run("systemctl", ["restart", service]);
  if (code !== 0)
    throw new CommissioningRefused(
      "nucleus",
      `systemctl restart ${service} ends with ${code} (${stderr.trim()}); both certificates count until it has started: mend it and run this again`,
    );
}
