// A vendor that speaks HTTP/2 and HTTP/1.1, chosen in the TLS handshake. Prints its port, then one
// line of JSON for each request. The path says how it behaves; arguments: certificate, key.
import { readFileSync } from "node:fs";
import { constants, createSecureServer } from "node:http2";

const [cert, key] = process.argv.slice(2).map((path) => readFileSync(path));
const server = createSecureServer({ cert, key, allowHTTP1: true });
server.on("sessionError", () => {});

const roles = {
  "/ok": (request, response) => response.writeHead(204).end(),
  "/busy": (request, response) => response.writeHead(503, { "retry-after": "0" }).end(),
  "/resets": (request) => request.stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  "/cancels": (request) => request.stream.close(constants.NGHTTP2_CANCEL),
  "/refuses": (request) => request.stream.close(constants.NGHTTP2_REFUSED_STREAM),
  "/ends": (request) => request.stream.close(constants.NGHTTP2_NO_ERROR),
  "/objects": (request) => request.stream.close(constants.NGHTTP2_PROTOCOL_ERROR),
  "/goes_away": (request) => request.stream.session.destroy(),
  "/hangs": () => {},
  "/many_headers": (request, response) => {
    for (let n = 0; n < 600; n++) response.setHeader(`x-filler-${n}`, "abcdefghijklmnopqrstuvwxyz");
    response.writeHead(200).end();
  },
  "/endless": (request, response) => {
    const block = Buffer.alloc(65536);
    const pump = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on("error", () => {}).on("drain", pump).writeHead(200);
    pump();
  },
};

server.on("request", (request, response) => {
  const chunks = [];
  request.on("error", () => {});
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !name.startsWith(":")),
    );
    console.log(
      JSON.stringify({
        path: request.url,
        version: request.httpVersion,
        alpn: request.socket.alpnProtocol,
        headers,
        body: Buffer.concat(chunks).toString("base64"),
      }),
    );
    roles[request.url](request, response);
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
