import { connectGreengrassIpc } from "@coalmine/device/greengrass-ipc";
import { runComponent } from "@coalmine/device/run";
import { serialLinks } from "@coalmine/device/serial-links";
import { workFiles } from "@coalmine/device/work-files";
import { portsVersion, start } from "./component.ts";

await runComponent({ portsVersion, start }, async (base) => ({
  ...base,
  ipc: await connectGreengrassIpc(base),
  // The nucleus starts a component in its work folder.
  files: workFiles(process.cwd(), base.clock),
  // Beside what udev names: folders of names that lead to ports, as a site's own rules make them.
  links: serialLinks(base.clock, {
    folders: (base.process.environment("COALMINE_SERIAL_FOLDERS") ?? "")
      .split(":")
      .filter((folder) => folder !== ""),
  }),
}));
