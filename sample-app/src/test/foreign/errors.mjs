// Calls test.v1.Failing/Unary and /Stream with each of the requests that are given and prints, as JSON,
// what a client that is not Java learns of the failures. Usage: node errors.mjs <port> <request>...
import { createRequire } from 'node:module';
import grpc from '@grpc/grpc-js';

const [port, ...requests] = process.argv.slice(2);

const require = createRequire(createRequire(import.meta.url).resolve('@grpc/proto-loader'));
const google = require('protobufjs').parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message RequestInfo { string request_id = 1; }
`).root;

function detail(status, name) {
  const found = status.details.find((any) => any.typeUrl === `type.googleapis.com/google.rpc.${name}`);
  const type = google.lookupType(`google.rpc.${name}`);
  return found ? type.toObject(type.decode(found.value)) : null;
}

function describe(request, method, messages, error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = bytes ? google.lookupType('google.rpc.Status').decode(bytes) : { details: [] };
  return {
    request, method, messages, code: error.code, message: error.details,
    trailers: Object.keys(error.metadata.getMap()),
    errorInfo: detail(status, 'ErrorInfo'), requestInfo: detail(status, 'RequestInfo'),
    raw: bytes ? bytes.toString('latin1') : '',
  };
}

const text = { requestSerialize: (value) => Buffer.from(value), responseDeserialize: (bytes) => bytes.toString() };
const rpc = (name, responseStream) => ({
  path: `/test.v1.Failing/${name}`, requestStream: false, responseStream,
  responseSerialize: text.requestSerialize, requestDeserialize: text.responseDeserialize, ...text,
});
const Failing = grpc.makeGenericClientConstructor({ unary: rpc('Unary', false), stream: rpc('Stream', true) }, 'Failing');
const client = new Failing(`127.0.0.1:${port}`, grpc.credentials.createInsecure());

const unary = (request) => new Promise((resolve) => {
  client.unary(request, (error) => resolve(describe(request, 'unary', 0, error)));
});
const stream = (request) => new Promise((resolve) => {
  let messages = 0;
  const call = client.stream(request);
  call.on('data', () => { messages += 1; });
  call.on('error', (error) => resolve(describe(request, 'stream', messages, error)));
});

const table = [];
for (const request of requests) {
  if (!request.startsWith('after')) {
    table.push(await unary(request));
  }
  table.push(await stream(request));
}
console.log(JSON.stringify(table));
client.close();
