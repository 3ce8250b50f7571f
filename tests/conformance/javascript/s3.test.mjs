// The AWS SDK for JavaScript v3 and S3: streams, checksums by trailer, pages, errors as classes.
import assert from "node:assert/strict";
import { randomBytes, createHash } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import { createRequire } from "node:module";

const require = createRequire(process.env.VIRGA_NODE_SDK + "/");
const s3sdk = require("@aws-sdk/client-s3");
const { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand, HeadObjectCommand, DeleteObjectCommand,
  DeleteObjectsCommand, CopyObjectCommand, GetObjectAttributesCommand, CreateMultipartUploadCommand, UploadPartCommand,
  CompleteMultipartUploadCommand, PutBucketVersioningCommand, PutObjectLockConfigurationCommand,
  ListObjectVersionsCommand, NoSuchKey, NotFound, S3ServiceException, paginateListObjectsV2, waitUntilBucketExists,
  waitUntilObjectNotExists } = s3sdk;

const make = (more = {}) => new S3Client({ endpoint: process.env.VIRGA_ENDPOINT, region: "us-east-1", maxAttempts: 1,
  forcePathStyle: true, credentials: { accessKeyId: "test", secretAccessKey: "test" }, ...more });
const client = make();
const newBucket = async (more = {}) => {
  const Bucket = "js-" + randomBytes(8).toString("hex");
  await client.send(new CreateBucketCommand({ Bucket, ...more }));
  return Bucket;
};
const refused = (name, status) => (error) =>
  error instanceof S3ServiceException && error.name === name && error.$metadata.httpStatusCode === status;

test("objects come back with their headers, tags and checksum", async () => {
  const Bucket = await newBucket();
  await waitUntilBucketExists({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { Bucket });
  const put = await client.send(new PutObjectCommand({ Bucket, Key: "a b/ü+c.txt", Body: "hällo", ContentType: "text/plain",
    CacheControl: "no-store", Metadata: { Mixed: "Case" }, Tagging: "a=1&b=2" }));
  assert.ok(put.ChecksumCRC32 && put.ChecksumType === "FULL_OBJECT" && put.ServerSideEncryption === "AES256");
  const got = await client.send(new GetObjectCommand({ Bucket, Key: "a b/ü+c.txt", ChecksumMode: "ENABLED" }));
  assert.equal(await got.Body.transformToString(), "hällo");
  assert.deepEqual([got.ContentType, got.CacheControl, got.Metadata, got.TagCount, got.ChecksumCRC32, got.ETag],
    ["text/plain", "no-store", { mixed: "Case" }, 2, put.ChecksumCRC32, put.ETag]);
  const part = await client.send(new GetObjectCommand({ Bucket, Key: "a b/ü+c.txt", Range: "bytes=-3" }));
  assert.deepEqual([await part.Body.transformToString(), part.ContentRange, part.$metadata.httpStatusCode],
    ["llo", "bytes 3-5/6", 206]);
});

test("a stream of a known length goes up in signed chunks with a trailer", async () => {
  const Bucket = await newBucket();
  const content = randomBytes(3 * 1024 * 1024 + 7);
  const pieces = [content.subarray(0, 1000), content.subarray(1000)];
  const put = await client.send(new PutObjectCommand({ Bucket, Key: "s", Body: Readable.from(pieces),
    ContentLength: content.length, ChecksumAlgorithm: "SHA256" }));
  assert.equal(put.ChecksumSHA256, createHash("sha256").update(content).digest("base64"));
  const got = await client.send(new GetObjectCommand({ Bucket, Key: "s" }));
  assert.ok(content.equals(Buffer.from(await got.Body.transformToByteArray())));
});

test("what is not there is the modelled error", async () => {
  const Bucket = await newBucket();
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: "none" })), (error) => error instanceof NoSuchKey);
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket, Key: "none" })), (error) => error instanceof NotFound);
  await waitUntilObjectNotExists({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { Bucket, Key: "none" });
  await assert.rejects(client.send(new GetObjectCommand({ Bucket: Bucket + "-none", Key: "k" })), refused("NoSuchBucket", 404));
});

test("conditions decide writes, reads and deletions", async () => {
  const Bucket = await newBucket();
  const Key = "k";
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: "1", IfNoneMatch: "*" }));
  await assert.rejects(client.send(new PutObjectCommand({ Bucket, Key, Body: "2", IfNoneMatch: "*" })), refused("PreconditionFailed", 412));
  await assert.rejects(client.send(new PutObjectCommand({ Bucket, Key: "none", Body: "2", IfMatch: ETag })), refused("NoSuchKey", 404));
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: ETag })),
    (error) => error.$metadata.httpStatusCode === 304);
  await assert.rejects(client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: '"x"' })), refused("PreconditionFailed", 412));
  await client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: ETag }));
  await assert.rejects(client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: ETag })), refused("NoSuchKey", 404));
});

test("pages hold every key once, common prefixes too", async () => {
  const Bucket = await newBucket();
  const keys = Array.from({ length: 23 }, (_, i) => `d${i % 5}/k${String(i).padStart(2, "0")}`);
  await Promise.all(keys.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: "" }))));
  const seen = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 4 }, { Bucket })) seen.push(...page.Contents.map((o) => o.Key));
  assert.deepEqual(seen, [...keys].sort());
  const prefixes = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket, Delimiter: "/" }))
    prefixes.push(...(page.CommonPrefixes ?? []).map((p) => p.Prefix));
  assert.deepEqual(prefixes, ["d0/", "d1/", "d2/", "d3/", "d4/"]);
  const gone = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } }));
  assert.ok(!gone.Deleted && !gone.Errors);
});

test("parts make one object with a composite checksum, and its completion can be repeated", async () => {
  const Bucket = await newBucket();
  const Key = "m";
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC32" }));
  const bodies = [Buffer.alloc(5 * 1024 * 1024, "a"), Buffer.from("b")];
  const Parts = [];
  for (const [i, Body] of bodies.entries()) {
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: i + 1, Body,
      ChecksumAlgorithm: "CRC32" }));
    Parts.push({ ETag, ChecksumCRC32, PartNumber: i + 1 });
  }
  const complete = () => client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const first = await complete();
  assert.ok(first.ETag.endsWith('-2"') && first.ChecksumCRC32.endsWith("-2") && first.ChecksumType === "COMPOSITE");
  assert.equal((await complete()).ETag, first.ETag);
  const attributes = await client.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ["ObjectParts", "ObjectSize"] }));
  assert.deepEqual([attributes.ObjectSize, attributes.ObjectParts.TotalPartsCount, attributes.ObjectParts.Parts.length],
    [5 * 1024 * 1024 + 1, 2, 2]);
  const second = await client.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
  assert.deepEqual([await second.Body.transformToString(), second.PartsCount], ["b", 2]);
});

test("versions, copies of versions and default retention", async () => {
  const Bucket = await newBucket();
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "1" }));
  await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "2" }));
  await client.send(new CopyObjectCommand({ Bucket, Key: "k", CopySource: `${Bucket}/k?versionId=${VersionId}` }));
  assert.equal(await (await client.send(new GetObjectCommand({ Bucket, Key: "k" }))).Body.transformToString(), "1");
  const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  assert.deepEqual(Versions.map((v) => v.IsLatest), [true, false, false]);
  await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled",
    Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } } } }));
  const locked = await client.send(new PutObjectCommand({ Bucket, Key: "locked", Body: "x" }));
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "locked" }));
  assert.equal(head.ObjectLockMode, "GOVERNANCE");
  await assert.rejects(client.send(new DeleteObjectCommand({ Bucket, Key: "locked", VersionId: locked.VersionId })), refused("AccessDenied", 403));
});
