// send.js - one mail by nodemailer; what to send comes as JSON on standard input
'use strict';
const { createTransport } = require('nodemailer');

async function main() {
    let text = '';
    for await (const part of process.stdin) text += part;
    const { server, mail } = JSON.parse(text);
    const transport = createTransport({
        port: 25, connectionTimeout: 20000, socketTimeout: 40000,
        tls: { rejectUnauthorized: false }, ...server,
    });
    const sent = await transport.sendMail(mail);
    console.log(sent.response);
}

main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
