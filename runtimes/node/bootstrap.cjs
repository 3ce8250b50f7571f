'use strict';
// Runs inside each Node sandbox: boots ahead of need, rehearses, waits for its assignment, loads the handler and serves the
// Lambda Runtime API.
// Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", "Define Lambda function handler in
// Node.js", "AWS Lambda context object in Node.js", "Log and monitor Node.js Lambda functions".
const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');
const { Writable } = require('stream');
const { pathToFileURL } = require('url');

const FD_TELEMETRY = 3;
const FD_ASSIGN = 4;  // the assignment comes here, then it is this process's connection to the Runtime API
const BARE = process.env.VIRGA_BARE === '1';  // without namespaces: this process is one function's
const HURRY = process.env.VIRGA_HURRY === '1';  // somebody waits for this process: only what every function needs
const TASK_ROOT = BARE ? process.env.VIRGA_TASK : '/var/task';
const OWN_NODE_PATH = process.env.NODE_PATH;
const API_ROOT = '/2018-06-01/runtime';

// ---------------------------------------------------------------- the Runtime API

// A tight HTTP/1.1 client on one keep-alive connection, a Unix socket; answers come in the order of requests.
class Api {
  constructor(socket, onEnd) {
    this.buffer = null;
    this.waiting = [];
    this.socket = socket;
    this.socket.on('data', (data) => this.onData(data));
    this.socket.on('close', onEnd);
    this.socket.on('error', onEnd);
  }
  send(...parts) {
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }
  // Calls back with the next answer: headers (lower-case names) and body.
  read(callback) {
    this.waiting.push(callback);
  }
  onData(data) {
    this.buffer = this.buffer === null ? data : Buffer.concat([this.buffer, data]);
    while (this.buffer !== null && this.waiting.length > 0) {
      const end = this.buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const lines = this.buffer.latin1Slice(0, end).split('\r\n');
      const headers = {};
      for (let i = 1; i < lines.length; i++) {
        const colon = lines[i].indexOf(':');
        headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
      }
      const need = end + 4 + Number(headers['content-length'] || 0);
      if (this.buffer.length < need) return;
      const body = this.buffer.subarray(end + 4, need);
      this.buffer = this.buffer.length > need ? this.buffer.subarray(need) : null;
      this.waiting.shift()(headers, body);
    }
  }
}

const nextEvent = () => `GET ${API_ROOT}/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n`;

function post(where, body, headers = '', contentType = 'application/json') {
  const data = typeof body === 'string' ? Buffer.from(body) : body;
  return [`POST ${API_ROOT}${where} HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nContent-Type: ${contentType}\r\n${headers}` +
    `Content-Length: ${data.length}\r\n\r\n`, data];
}

function errorHeader(type) {
  return `Lambda-Runtime-Function-Error-Type: ${String(type).replace(/[^\x20-\x7e]/g, '?')}\r\n`;
}

// ---------------------------------------------------------------- logs

let requestId = undefined;

// One log event that may have several lines: type, length, microseconds, then the text.
function sendRecord(text) {
  const body = Buffer.from(text);
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0xa55a0003, 0);
  head.writeUInt32BE(body.length, 4);
  head.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  let data = Buffer.concat([head, body]);
  while (data.length > 0) {
    try {
      data = data.subarray(fs.writeSync(FD_TELEMETRY, data));
    } catch (e) {
      if (e.code !== 'EAGAIN') return;
    }
  }
}

const LEVELS = { trace: 1, debug: 2, info: 3, warn: 4, error: 5, fatal: 6 };

function jsonLine(level, args) {
  const record = { timestamp: new Date().toISOString(), level: level.toUpperCase(), requestId };
  if (args.length === 1 && typeof args[0] === 'object' && args[0] !== null && !(args[0] instanceof Error)) {
    record.message = args[0];
  } else {
    record.message = util.format(...args);
    const error = args.find((a) => a instanceof Error);
    if (error) {
      record.errorType = error.name;
      record.errorMessage = error.message;
      record.stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
    }
  }
  try {
    return JSON.stringify(record, (key, value) => typeof value === 'bigint' ? value.toString() : value);
  } catch (e) {
    record.message = util.format(...args);
    return JSON.stringify(record);
  }
}

function patchConsole() {
  const json = (process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';
  const least = json ? LEVELS[(process.env.AWS_LAMBDA_LOG_LEVEL || 'INFO').toLowerCase()] || 1 : 0;
  const write = (level) => (...args) => {
    if (LEVELS[level] < least) return;
    sendRecord(json ? jsonLine(level, args)
      : `${new Date().toISOString()}\t${requestId}\t${level.toUpperCase()}\t${util.format(...args)}\n`);
  };
  console.log = write('info');
  console.info = write('info');
  console.debug = write('debug');
  console.warn = write('warn');
  console.error = write('error');
  console.trace = (...args) => {
    const holder = { name: 'Trace', message: util.format(...args) };
    Error.captureStackTrace(holder, console.trace);
    write('trace')(holder.stack);
  };
  console.fatal = write('fatal');
}

function logError(title, error) {
  const described = describe(error);
  const detail = { errorType: described.errorType, errorMessage: described.errorMessage };
  if (error instanceof Error) {
    for (const key of Object.keys(error)) if (!(key in detail) && key !== 'name') detail[key] = error[key];
  }
  detail.stack = described.trace;
  let text;
  try {
    text = JSON.stringify(detail);
  } catch (e) {
    text = JSON.stringify({ errorType: detail.errorType, errorMessage: detail.errorMessage, stack: detail.stack });
  }
  if ((process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON') {
    sendRecord(JSON.stringify({ timestamp: new Date().toISOString(), level: 'ERROR', requestId, message: JSON.parse(text) }));
  } else {
    sendRecord(`${new Date().toISOString()}\t${requestId}\tERROR\t${title}\t${text}\n`);
  }
}

// ---------------------------------------------------------------- errors

class RuntimeError extends Error {
  constructor(name, message, cause) {
    super(message);
    this.name = name;
    if (cause && typeof cause.stack === 'string') this.stack = `${name}: ${message}\n${cause.stack.split('\n').slice(1).join('\n')}`;
    else this.stack = `${name}: ${message}\n${(this.stack || '').split('\n').slice(1).join('\n')}`;
  }
}

function describe(error) {
  if (util.types.isNativeError(error) || error instanceof Error) {
    return {
      errorType: String(error.name || 'Error'),
      errorMessage: String(error.message),
      trace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
    };
  }
  let text;
  try {
    text = String(error);
  } catch (e) {
    text = 'unprintable';
  }
  return { errorType: typeof error, errorMessage: text, trace: [] };
}

// ---------------------------------------------------------------- the handler

function isFile(file) {
  const info = fs.statSync(file, { throwIfNoEntry: false });
  return info !== undefined && info.isFile();
}

function packageIsModule(folder) {
  for (;;) {
    const file = path.join(folder, 'package.json');
    if (isFile(file)) {  // asked first: an exception costs a tenth of a millisecond
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8')).type === 'module';
      } catch (e) {
        return false;
      }
    }
    if (folder === TASK_ROOT || folder === '/') return false;
    folder = path.dirname(folder);
  }
}

async function loadModule(root, folder, name) {
  const base = path.resolve(root, folder, name);
  if (isFile(base)) return require(base);
  if (isFile(base + '.js')) {
    if (packageIsModule(path.dirname(base))) return import(pathToFileURL(base + '.js').href);
    return require(base + '.js');
  }
  if (isFile(base + '.mjs')) return import(pathToFileURL(base + '.mjs').href);
  if (isFile(base + '.cjs')) return require(base + '.cjs');
  return require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
}

async function loadHandler(full, root = TASK_ROOT) {
  if (full.includes('..')) {
    throw new RuntimeError('Runtime.MalformedHandlerName',
      `'${full}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(full);
  const folder = full.slice(0, full.length - base.length);
  const match = base.match(/^([^.]*)\.(.*)$/);
  if (!match || match[1] === '') throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler');
  let loaded;
  try {
    loaded = await loadModule(root, folder, match[1]);
  } catch (e) {
    if (e instanceof SyntaxError) throw new RuntimeError('Runtime.UserCodeSyntaxError', String(e), e);
    if (e && (e.code === 'MODULE_NOT_FOUND' || e.code === 'ERR_MODULE_NOT_FOUND')) {
      throw new RuntimeError('Runtime.ImportModuleError', String(e), e);
    }
    throw e;
  }
  let handler = loaded;
  for (const part of match[2].split('.')) handler = handler === undefined || handler === null ? undefined : handler[part];
  if (handler === undefined && loaded && loaded.default) {
    handler = loaded.default;
    for (const part of match[2].split('.')) handler = handler === undefined || handler === null ? undefined : handler[part];
  }
  if (!handler) throw new RuntimeError('Runtime.HandlerNotFound', `${full} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('Runtime.HandlerNotFound', `${full} is not a function`);
  return handler;
}

// ---------------------------------------------------------------- invocations

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

function publishStreaming() {
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = options && options.highWaterMark ? options : true;
      return handler;
    },
    HttpResponseStream: {
      from(stream, prelude) {
        stream.setContentType('application/vnd.awslambda.http-integration-response');
        stream.write(JSON.stringify(prelude));
        stream.write(Buffer.alloc(8));
        return stream;
      },
    },
  };
}

class Runtime {
  constructor(api, handler) {
    this.api = api;
    this.handler = handler;
    this.streaming = handler[STREAMING] !== undefined;
    this.callbacks = !/nodejs(2[4-9]|[3-9]\d)\./.test(process.env.AWS_EXECUTION_ENV || '');
    this.onEmpty = null;
    process.on('beforeExit', () => {
      const action = this.onEmpty;
      this.onEmpty = null;
      if (action) action();
    });
    process.on('uncaughtException', (error) => this.crash('Uncaught Exception', error, 129));
    process.on('unhandledRejection', (reason) => {
      const error = new RuntimeError('Runtime.UnhandledPromiseRejection', reason && reason.toString ? reason.toString() : String(reason),
        reason);
      this.crash('Unhandled Promise Rejection', error, 128);
    });
  }

  crash(title, error, code) {
    logError(title + ' ', error);
    const described = describe(error);
    const where = this.current ? `/invocation/${this.current}/error` : '/init/error';
    this.api.read(() => process.exit(code));
    this.api.socket.ref();
    this.api.send(...post(where, JSON.stringify(described), errorHeader(described.errorType)));
  }

  next() {
    this.api.socket.ref();
    this.api.send(nextEvent());
    this.await();
  }
  await() {
    this.current = null;
    this.api.read((headers, body) => this.run(headers, body));
  }

  // The answer and the request for the next event leave in one write.
  answer(id, suffix, body, headers, contentType) {
    if (this.current !== id) return;  // answered before
    this.onEmpty = null;
    this.api.socket.ref();
    this.api.read(() => {});
    this.api.send(...post(`/invocation/${id}/${suffix}`, body, headers, contentType), nextEvent());
    this.await();
  }
  fail(id, error) {
    if (this.current !== id) return;
    logError('Invoke Error ', error);
    const described = describe(error);
    this.answer(id, 'error', JSON.stringify(described), errorHeader(described.errorType));
  }
  succeed(id, value) {
    if (this.current !== id) return;
    let text;
    try {
      text = JSON.stringify(value === undefined ? null : value);
    } catch (e) {
      return this.fail(id, new RuntimeError('Runtime.MarshalError', `Unable to stringify response body as json: ${e.message}`, e));
    }
    this.answer(id, 'response', text === undefined ? 'null' : text);
  }

  run(headers, body) {
    const id = headers['lambda-runtime-aws-request-id'];
    this.current = id;
    requestId = id;
    const trace = headers['lambda-runtime-trace-id'];
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    let event, context;
    try {
      event = JSON.parse(body.toString());
      context = this.context(id, headers);
    } catch (e) {
      return this.fail(id, new RuntimeError('Runtime.MarshalError', `Unable to parse input as json: ${e.message}`, e));
    }
    // While the handler works the connection does not keep the event loop alive: an empty loop means that it is done.
    this.api.socket.unref();
    this.onEmpty = () => this.succeed(id, null);
    try {
      if (this.streaming) return this.runStreaming(id, event, context);
      const result = this.callbacks ? this.handler(event, context, context.callback) : this.handler(event, context);
      if (result && typeof result.then === 'function') {
        result.then((value) => this.succeed(id, value), (error) => this.fail(id, error));
      } else if (!this.callbacks) {
        this.succeed(id, result);
      }
    } catch (error) {
      this.fail(id, error);
    }
  }

  // What the handler writes leaves at once. Source: Lambda Developer Guide, "Using the Lambda runtime API for custom
  // runtimes", response streaming: a chunked answer, an error after its beginning in the trailers.
  runStreaming(id, event, context) {
    let contentType = 'application/octet-stream';
    let begun = false;
    const begin = () => {
      if (begun) return;
      begun = true;
      this.api.socket.ref();
      this.api.read(() => {});
      this.api.send(`POST ${API_ROOT}/invocation/${id}/response HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nContent-Type: ${contentType}\r\n` +
        'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n' +
        'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n');
    };
    const end = (trailers = '') => {
      if (this.current !== id) return;
      begin();
      this.onEmpty = null;
      this.api.send(`0\r\n${trailers}\r\n`, nextEvent());
      this.await();
    };
    const failed = (error) => {
      if (this.current !== id) return;
      if (!begun) return this.fail(id, error);
      logError('Invoke Error ', error);
      const described = describe(error);
      end(errorHeader(described.errorType) +
        `Lambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(described)).toString('base64')}\r\n`);
    };
    const stream = new Writable({
      write: (part, encoding, done) => {
        if (this.current !== id || part.length === 0) return done();
        begin();
        const data = Buffer.isBuffer(part) ? part : Buffer.from(part, encoding);
        this.api.send(`${data.length.toString(16)}\r\n`, data);
        this.api.socket.write('\r\n', () => done());
      },
      final: (done) => {
        end();
        done();
      },
    });
    stream.setContentType = (type) => { contentType = String(type).replace(/[^\x20-\x7e]/g, ''); };
    stream.on('error', failed);
    this.onEmpty = () => end();
    new Promise((resolve) => resolve(this.handler(event, stream, context))).then(() => {
      if (!stream.writableEnded) stream.end();
    }, failed);
  }

  context(id, headers) {
    const env = process.env;
    const deadline = Number(headers['lambda-runtime-deadline-ms'] || 0);
    const parse = (text) => (text ? JSON.parse(text) : undefined);
    let waitForEmpty = true;
    const finish = (error, value) => {
      if (error !== undefined && error !== null) return this.fail(id, error);
      if (this.current !== id) return undefined;
      if (!waitForEmpty) return setImmediate(() => this.succeed(id, value));
      this.onEmpty = () => setImmediate(() => this.succeed(id, value));
      return undefined;
    };
    const context = {
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: parse(headers['lambda-runtime-client-context']),
      identity: parse(headers['lambda-runtime-cognito-identity']),
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      awsRequestId: id,
      tenantId: headers['lambda-runtime-aws-tenant-id'],
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
    Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop',
      { enumerable: true, get: () => waitForEmpty, set: (value) => { waitForEmpty = value; } });
    Object.defineProperty(context, 'callback', { enumerable: false, value: finish });
    if (this.callbacks) {
      context.done = (error, value) => { waitForEmpty = false; finish(error, value); };
      context.succeed = (value) => { waitForEmpty = false; finish(null, value); };
      context.fail = (error) => { waitForEmpty = false; finish(error === undefined ? 'handled' : error); };
    }
    return context;
  }
}

// ---------------------------------------------------------------- life of a sandbox

// The platform's own SDK, loaded and used once as functions use it: a fifth of a second that they do not wait for. One that a
// function brings along is another module.
const SDK = '/var/node_modules/@aws-sdk/';
// Clients that share most of what those of DynamoDB and S3 have loaded: a few milliseconds and about half a megabyte each.
const SMALL_CLIENTS = ['client-sqs', 'client-sns', 'client-secrets-manager'];
async function rehearseSdk(port) {
  if (!fs.existsSync(SDK)) return;
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x',
    AWS_SESSION_TOKEN: 'x', AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
  try {
    const { DynamoDBClient } = require(SDK + 'client-dynamodb');
    const { DynamoDBDocumentClient, GetCommand } = require(SDK + 'lib-dynamodb');
    const client = new DynamoDBClient({});
    await DynamoDBDocumentClient.from(client).send(new GetCommand({ TableName: 'rehearsal', Key: { pk: 'a' } }));
    client.destroy();  // its sockets would keep the event loop from being empty, which handlers with callbacks wait for
    const { S3Client, GetObjectCommand } = require(SDK + 'client-s3');
    const s3 = new S3Client({ forcePathStyle: true });
    const got = await s3.send(new GetObjectCommand({ Bucket: 'rehearsal', Key: 'k' }));
    await got.Body.transformToString();
    s3.destroy();
    for (const name of SMALL_CLIENTS) require(SDK + name);
  } catch (e) {
    // An SDK of another shape: functions load it themselves.
  }
}

// A stand-in for the platform serves a few events, so that everything on the way of the first real one has run before.
async function rehearse() {
  const events = 12;
  let served = 0;
  const standIn = (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (data.includes('POST ')) socket.write('HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
      if (!data.includes('GET ')) return;
      if (served++ >= events) return socket.end();
      const body = '{"a":[1,2.5,"x",null,true]}';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: ${served}\r\n` +
        `Lambda-Runtime-Deadline-Ms: 0\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  };
  if (!HURRY) {
    const server = net.createServer(standIn);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    await rehearseSdk(server.address().port);
    server.close();
    served = 0;
  }
  const server = net.createServer(standIn);
  const place = '/tmp/virga-rehearsal';
  await new Promise((resolve) => server.listen(place, resolve));
  await new Promise((resolve) => {
    const api = new Api(net.connect(place), resolve);
    const file = '/var/runtime/rehearsal/virga_rehearsal.js';
    const variables = [...Object.entries(process.env), ...Array.from({ length: 20 }, (_, i) => [`VIRGA_${i}`, 'x'])];
    applyEnvironment(parseAssignment(Buffer.from('size' + variables.map((pair) => pair.join('=')).join('\0'))));
    patchConsole();
    require('module').Module._initPaths();
    loadHandler('virga_rehearsal.handler', '/var/runtime/rehearsal').then((handler) => {
      delete require.cache[file];
      new Runtime(api, handler).next();
    });
  });
  server.close();
  applyEnvironment(new Map(Object.entries(process.env).filter(([key]) => !/^(VIRGA_|AWS_)/.test(key))));
  for (const name of ['beforeExit', 'uncaughtException', 'unhandledRejection']) process.removeAllListeners(name);
  util.format('%s', new Date().toISOString());
  requestId = undefined;
}

// The environment comes from the engine; behind it the launcher says with one byte that the function's code is there.
function receiveAssignment() {
  let data = Buffer.alloc(0);
  const part = Buffer.alloc(65536);
  const receive = () => {
    const got = fs.readSync(FD_ASSIGN, part);
    if (got === 0) process.exit(0);
    data = Buffer.concat([data, part.subarray(0, got)]);
  };
  while (data.length < 4 || data.length < 4 + data.readUInt32LE(0)) receive();
  const end = 4 + data.readUInt32LE(0);
  applyEnvironment(parseAssignment(data.subarray(0, end)));
  while (data.length === end) receive();
}

// Four bytes of length, then NAME=VALUE joined by NULs.
function parseAssignment(data) {
  const assigned = new Map();
  for (const item of data.toString('utf8', 4).split('\0')) {
    const equals = item.indexOf('=');
    if (equals > 0) assigned.set(item.slice(0, equals), item.slice(equals + 1));
  }
  return assigned;
}

function applyEnvironment(assigned) {
  // Only what differs: an assignment to TZ, even of the same value, makes the engine look for the time zone anew.
  for (const key of Object.keys(process.env)) if (!assigned.has(key)) delete process.env[key];
  for (const [key, value] of assigned) if (process.env[key] !== value) process.env[key] = value;
}

async function main() {
  require('v8').setFlagsFromString('--no-flush-bytecode');  // what was rehearsed stays compiled
  if (!BARE) await rehearse();
  publishStreaming();
  if (!BARE) fs.writeSync(FD_ASSIGN, 'R');
  receiveAssignment();  // blocks: nothing else is to happen here before
  if (BARE) process.env.NODE_PATH = process.env.NODE_PATH || OWN_NODE_PATH;
  require('module').Module._initPaths();  // NODE_PATH came with the environment
  const api = new Api(new net.Socket({ fd: FD_ASSIGN, readable: true, writable: true }), () => process.exit(0));
  patchConsole();
  process.chdir(TASK_ROOT);
  let handler;
  try {
    handler = await loadHandler(process.env._HANDLER || '');
  } catch (error) {
    logError('Uncaught Exception ', error);
    const described = describe(error);
    api.read(() => process.exit(1));
    api.send(...post('/init/error', JSON.stringify(described), errorHeader(described.errorType)));
    return;
  }
  new Runtime(api, handler).next();
}

main();
