"""Certificates for tests, made by openssl.

    ca = Authority(folder, "ca")
    cert, key = ca.sign("server", "DNS:localhost,IP:127.0.0.1")
    ca.certificate                      # what clients are given

Keys are of the curve P-256: quick to make."""
import pathlib
import subprocess


def openssl(*words, data=None):
    subprocess.run(("openssl", *words), input=data, check=True,
                   capture_output=True, timeout=60)


class Authority:
    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.key = self.folder / f"{name}.key"
        self.certificate = self.folder / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                f"/CN={name}", "-keyout", str(self.key), "-out",
                str(self.certificate))

    def sign(self, name, names, password=None):
        """A certificate of these names (as in subjectAltName), and its key."""
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        certificate = self.folder / f"{name}.pem"
        secret = ("-passout", f"pass:{password}") if password else ("-nodes",)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                *secret, "-subj", f"/CN={name}", "-keyout", str(key), "-out",
                str(request))
        openssl("x509", "-req", "-in", str(request), "-CA",
                str(self.certificate), "-CAkey", str(self.key), "-days", "30",
                "-CAcreateserial", "-extfile", "/dev/stdin", "-out",
                str(certificate), data=f"subjectAltName={names}\n".encode())
        return certificate, key
