import { SerialPort } from "serialport";
import { idle } from "./idle.ts";

// It cannot be opened; all that opening needs is loaded by then.
await new Promise((resolve) => {
  const port = new SerialPort({ path: "/dev/null", baudRate: 921_600, autoOpen: false });
  port.open(resolve);
});
idle();
