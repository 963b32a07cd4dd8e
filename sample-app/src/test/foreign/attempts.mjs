// An HTTP/2 server that answers gRPC calls as the path's service says, each attempt of a call by its number.
// Prints its port, then a line for each attempt: the call's id and what it says of previous attempts.
// Ends with its standard input.
import http2 from 'node:http2';

const { NGHTTP2_REFUSED_STREAM } = http2.constants;
const OK_MESSAGE = Buffer.from([0, 0, 0, 0, 0]);
const GARBAGE = Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff]);
// google.rpc.Status{code: 14, details: [google.rpc.RetryInfo{retry_delay: 1s}]}
const RETRY_INFO = Buffer.concat([Buffer.from([8, 14, 26, 48, 10, 40]), Buffer.from('type.googleapis.com/google.rpc.RetryInfo'),
  Buffer.from([18, 4, 10, 2, 8, 1])]).toString('base64');
const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

const fail = (more = {}) => (stream) => stream.respond({ ...HEAD, 'grpc-status': '14', ...more }, { endStream: true });
const pushBack = (value) => fail({ 'grpc-retry-pushback-ms': value });
const answer = (message, trailers, end) => (stream) => {
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => (end ? end(stream) : stream.sendTrailers(trailers)));
  if (message) {
    stream.write(message);
  }
  stream.end();
};
const ok = answer(OK_MESSAGE, { 'grpc-status': '0' });
const refuse = (stream) => stream.close(NGHTTP2_REFUSED_STREAM);

// By the number of the attempt; the last one goes on.
const KINDS = {
  FailOnce: [fail(), ok],
  FailTwice: [fail(), fail(), ok],
  FailAlways: [fail()],
  HeadersThenFail: [answer(null, { 'grpc-status': '14' }), ok],
  MessageThenLost: [(stream) => {
    stream.respond(HEAD);
    stream.write(OK_MESSAGE);
    setTimeout(() => stream.session.destroy(), 30);
  }, ok],
  PushBack300: [pushBack('300'), ok],
  PushBackMinus1: [pushBack('-1'), ok],
  PushBackGarbage: [pushBack('soon'), ok],
  PushBackHuge: [pushBack('99999999999'), ok],
  RetryInfo1s: [fail({ 'grpc-status-details-bin': RETRY_INFO }), ok],
  RefusedStream: [refuse, ok],
  Silent: [() => {}],
  SilentOnce: [() => {}, ok],
  GarbageMessage: [answer(GARBAGE, { 'grpc-status': '0' }), ok],
  NoMessage: [answer(null, { 'grpc-status': '0' }), ok],
  Http503: [(stream) => {
    stream.respond({ ':status': 503, 'content-type': 'text/html' });
    stream.end('<html>no server is available</html>');
  }],
};

const attempts = new Map();
const server = http2.createServer();
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  const id = headers['call-id'];
  const number = attempts.get(id) ?? 0;
  attempts.set(id, number + 1);
  console.log(`${id} ${headers['grpc-previous-rpc-attempts'] ?? '-'}`);
  const kind = KINDS[headers[':path'].split('/')[1].split('.').pop()];
  kind[Math.min(number, kind.length - 1)](stream);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
