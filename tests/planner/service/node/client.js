// Creates, watches, waits for and fetches a plan with nothing but the .proto files.
// Usage: node client.js PROTO_FOLDER ADDRESS DOCUMENT; prints one JSON object.
const path = require("path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [proto, address, document] = process.argv.slice(2);
const definition = loader.loadSync(
  ["fulcrum/v1/planning_service.proto", "google/longrunning/operations.proto"],
  { includeDirs: [proto, path.join(proto, "third_party")], keepCase: true, longs: Number, enums: String, oneofs: true },
);
const api = grpc.loadPackageDefinition(definition);
const credentials = grpc.credentials.createInsecure();
const planning = new api.fulcrum.v1.PlanningService(address, credentials);
const operations = new api.google.longrunning.Operations(address, credentials);

const STANDARD = { keepCase: true, enums: String, oneofs: true, includeDirs: [__dirname] };
const standard = (file) => grpc.loadPackageDefinition(loader.loadSync(file, STANDARD)).grpc;
const health = new (standard("health.proto").health.v1.Health)(address, credentials);
const reflection = new (standard("reflection.proto").reflection.v1alpha.ServerReflection)(address, credentials);

const services = () =>
  new Promise((resolve, reject) => {
    const stream = reflection.ServerReflectionInfo();
    stream.on("data", (response) => {
      resolve(response.list_services_response.service.map((service) => service.name));
      stream.end();
    });
    stream.on("error", reject);
    stream.write({ list_services: "*" });
  });

const call = (client, method, request) =>
  new Promise((resolve, reject) => {
    const deadline = new Date(Date.now() + 60000);
    client[method](request, { deadline }, (error, response) => (error ? reject(error) : resolve(response)));
  });

const watch = (name) =>
  new Promise((resolve, reject) => {
    const sequences = [];
    let last = null;
    const stream = planning.WatchPlan({ name });
    stream.on("data", (response) => {
      if (response.event === "progress") sequences.push(response.progress.sequence);
      if (response.event === "plan") last = response.plan;
    });
    stream.on("error", reject);
    stream.on("end", () => resolve({ sequences, last }));
  });

async function main() {
  const serving = await call(health, "Check", { service: "" });
  const offered = await services();
  const created = await call(planning, "CreatePlan", { document });
  const name = created.name.replace("operations/", "plans/");
  const { sequences, last } = await watch(name);
  const waited = await call(operations, "WaitOperation", { name: created.name });
  const plan = await call(planning, "GetPlan", { name });
  const listed = await call(planning, "ListPlans", { page_size: 1 });
  let refusal = null;
  try {
    await call(planning, "CreatePlan", { document: "gpu: nothing" });
  } catch (error) {
    refusal = { code: error.code, details: error.details };
  }
  const result = {
    done: waited.done,
    sequences,
    states: [last.state, plan.state],
    instances: plan.instances.map((instance) => ({ name: instance.name, stages: instance.stages })),
    same: plan.canonical_json === last.canonical_json,
    listed: listed.plans.map((item) => item.name === name),
    refusal,
    health: serving.status,
    services: offered,
  };
  process.stdout.write(JSON.stringify(result));
  planning.close();
  operations.close();
  health.close();
  reflection.close();
}

main().catch((error) => {
  process.stderr.write(String(error.stack || error));
  process.exit(1);
});
