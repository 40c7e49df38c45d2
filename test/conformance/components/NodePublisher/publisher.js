// As people write it: the older client of the SDK, a callback here and there, and no farewell.
const { greengrasscoreipc } = require("aws-iot-device-sdk-v2");

(async () => {
  const client = greengrasscoreipc.createClient();
  await client.connect();
  let n = 0;
  setInterval(async () => {
    try {
      const publishMessage = { jsonMessage: { message: { n: ++n } } };
      await client.publishToTopic({ topic: process.argv[2], publishMessage });
      console.log("published", n);
      await client.publishToTopic({ topic: "elsewhere", publishMessage });
    } catch (error) {
      console.error(error.serviceError ? error.serviceError.message : error.message);
    }
  }, 200);
})();
