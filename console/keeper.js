// Keeps the console's own files, so that it opens on a bad link. Answers of the API are not its to keep: a session has them,
// and they end with it. A new release has another list, and takes the place of the one before.
const kept = [KEPT];
const name = kept.join();

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(name)
      .then((cache) => cache.addAll(kept))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const other of await caches.keys()) if (other !== name) await caches.delete(other);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || !kept.includes(pathname)) return;
  const answer = async () => {
    const mine = await (await caches.open(name)).match(pathname);
    // The page itself is asked for first, so that a new release is found; its parts never change.
    if (pathname !== "/") return mine ?? fetch(event.request);
    return fetch(event.request).catch(() => mine ?? Response.error());
  };
  event.respondWith(answer());
});
