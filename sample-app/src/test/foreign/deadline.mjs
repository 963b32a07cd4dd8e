// Calls shop.v1.Inventory/Get with a statement that takes 2 s and prints, as JSON,
// what a client that is not Java learns of it. Usage: node deadline.mjs <port> <proto directory> [deadline in ms]
import { createRequire } from 'node:module';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [port, protos, budgetMs = '500'] = process.argv.slice(2);
const TYPE_PREFIX = 'type.googleapis.com/';

// protobufjs is what proto-loader itself stands on.
const require = createRequire(createRequire(import.meta.url).resolve('@grpc/proto-loader'));
const google = require('protobufjs').parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
`).root;

function errorInfo(trailers) {
  const [bytes] = trailers.get('grpc-status-details-bin');
  if (!bytes) {
    return null;
  }
  const status = google.lookupType('google.rpc.Status').decode(bytes);
  const ErrorInfo = google.lookupType('google.rpc.ErrorInfo');
  const detail = status.details.find((any) => any.typeUrl === `${TYPE_PREFIX}google.rpc.ErrorInfo`);
  return detail ? ErrorInfo.toObject(ErrorInfo.decode(detail.value)) : null;
}

const definition = protoLoader.loadSync('shop/v1/inventory.proto', { includeDirs: [protos] });
const { Inventory } = grpc.loadPackageDefinition(definition).shop.v1;
const client = new Inventory(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
// Connecting is not what is measured.
client.waitForReady(Date.now() + 10_000, (unreachable) => {
  if (unreachable) {
    throw unreachable;
  }
  const request = { sku: 'SKU-1', simulation: { queryMs: 2_000 } };
  client.get(request, { deadline: Date.now() + Number(budgetMs) }, (error) => {
    console.log(JSON.stringify({ code: error?.code ?? 0, errorInfo: error ? errorInfo(error.metadata) : null }));
    client.close();
  });
});
