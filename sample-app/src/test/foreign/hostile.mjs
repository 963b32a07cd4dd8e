// An HTTP/2 server that answers every gRPC call with what the path's last segment names, as no gRPC server
// would. Prints its port. Ends with its standard input.
import http2 from 'node:http2';

const status = Buffer.from([8, 5, 18, 3, 104, 101, 121]); // google.rpc.Status{code: 5, message: "hey"}
const DETAILS = {
  NotBase64: '!!!not base64 at all!!!',
  Garbage: Buffer.alloc(300, 0xff).toString('base64'),
  OtherCode: Buffer.from([8, 13]).toString('base64'),
  Truncated: Buffer.concat([status, Buffer.from([26, 200, 1, 10])]).toString('base64'),
  Empty: '',
  Large: Buffer.alloc(5_000, 0x1a).toString('base64'),
};

const server = http2.createServer({ maxHeaderListPairs: 1_000 });
server.on('stream', (stream, headers) => {
  const kind = headers[':path'].split('/').pop();
  stream.on('error', () => {});
  stream.respond({
    ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'hey%',
    'grpc-status-details-bin': kind === 'Huge' ? 'A'.repeat(10_000_000) : DETAILS[kind],
  }, { endStream: true });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
