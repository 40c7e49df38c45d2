import { readFileSync } from "node:fs";
import { Hono } from "hono";
import { siteFiles } from "../../pipeline/publish/console-site.ts";

/** Only what the console brings itself runs, and it speaks to nobody but the server that it came from. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** The console's built files, read once: a request can name nothing that is not among them. */
export function consoleFiles(folder: string): Hono {
  const files = new Map(siteFiles(folder).map((one) => [`/${one.path}`, one]));
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("content-security-policy", POLICY);
    context.header("x-content-type-options", "nosniff");
    context.header("referrer-policy", "no-referrer");
  });
  app.get("*", (context) => {
    const path = context.req.path === "/" ? "/index.html" : context.req.path;
    const file = files.get(path);
    if (file === undefined && path === "/index.html") return context.html(NOT_BUILT, 503);
    if (file === undefined) return context.text(`There is no ${path} here. The console begins at /.`, 404);
    return context.body(new Uint8Array(readFileSync(file.file)), 200, {
      "content-type": file.type,
      "cache-control": file.cacheControl,
    });
  });
  return app;
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Coalmine</title>
<h1>The console is not built</h1>
<p>Its API answers here, but there are no pages. Run <code>node console/build.ts --out dist/console</code> in the checkout to see why, and start again.</p></html>
`;
