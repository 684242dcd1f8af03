// Self-signed certificates for tests, valid until 2126, and their keys. They guard nothing.
#pragma once

namespace syndicated::tests {

// CN "client one"
inline constexpr const char* certificate_one =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgTCCASegAwIBAgIUQPCtbDirBvZKA8h1w/zg0IwzcSAwCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKY2xpZW50IG9uZTAgFw0yNjExMjEwNzAxMzZaGA8yMTI2MTAy\n"
    "ODA3MDEzNlowFTETMBEGA1UEAwwKY2xpZW50IG9uZTBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABDZgZg+68aFawdZuWIz1QjG219GiLB/1XZwsFHikvsDUdXFaXi2t\n"
    "B9LigGumaER97kDFjh2BmvL2s/xC7S7ZDo6jUzBRMB0GA1UdDgQWBBQsvzGVXd+E\n"
    "ZKDM4hcKKwwV5uqg7jAfBgNVHSMEGDAWgBQsvzGVXd+EZKDM4hcKKwwV5uqg7jAP\n"
    "BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDvD4mgoiMg3dRKQ3/a\n"
    "7szgelpcyIXyZGBNmnbqY2q5pQIgA8sIQlErVRQMJx0nKoOg9QqC0xnlsKoYY+pP\n"
    "oXTJOPA=\n"
    "-----END CERTIFICATE-----\n";
inline constexpr const char* key_one =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgR9BehPYznNaC8/rQ\n"
    "H1IarSffD5GRjH1vyGn1GojhCFahRANCAAQ2YGYPuvGhWsHWbliM9UIxttfRoiwf\n"
    "9V2cLBR4pL7A1HVxWl4trQfS4oBrpmhEfe5AxY4dgZry9rP8Qu0u2Q6O\n"
    "-----END PRIVATE KEY-----\n";
// The same key under the password "x".
inline constexpr const char* encrypted_key_one =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg0uBYw7OjLIQICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKr3Z3A3EHukGffXnIIL3EIEgZCa\n"
    "xcA/ARJFu10wEkhShy3BXTIHzQRGpmvm6bGOaSzg44qt0IOfy29yoJcK1u/Obky9\n"
    "75mCf4FHkyJNR3/NCQ0B4gHRDLxdSWkAeDLp8nxV/3rSTfcco67WfHIu5lmaWxkg\n"
    "KMMU1M0FSaOA8nL1ETToDCr2GJCNdTk7OeuW5mlFLoZLDgp/pB+6QhTO/eMqiA4=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
// CN "client two"
inline constexpr const char* certificate_two =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgDCCASegAwIBAgIUZWIzx4rIyTL6H+BL+hf22BMxhnIwCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKY2xpZW50IHR3bzAgFw0yNjExMjEwNzAxMzZaGA8yMTI2MTAy\n"
    "ODA3MDEzNlowFTETMBEGA1UEAwwKY2xpZW50IHR3bzBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABKT3xRV5Y+s24BNuQLZ2bALP+pG30mX2imxPQz1FRvwZ1vhDGzNK\n"
    "8E9esjv3h1ASFqBDdbrBqShJzplPFljFD8SjUzBRMB0GA1UdDgQWBBQhTaLrK9M5\n"
    "EWEo2OaFWLJGYJBC3TAfBgNVHSMEGDAWgBQhTaLrK9M5EWEo2OaFWLJGYJBC3TAP\n"
    "BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIA15jMlHKuRkhrgM5fFj\n"
    "pKMMUdyEpx4fZzZAa2n33V8GAiAze7OU9wqSEvIggN+wCRTqdvlr5Vl/pdYPWT5z\n"
    "9Yst0Q==\n"
    "-----END CERTIFICATE-----\n";
inline constexpr const char* key_two =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg96xsFgoMl1ae/nzW\n"
    "BYTz31fT/CTRlq86SINgCmSmd9WhRANCAASk98UVeWPrNuATbkC2dmwCz/qRt9Jl\n"
    "9opsT0M9RUb8Gdb4QxszSvBPXrI794dQEhagQ3W6wakoSc6ZTxZYxQ/E\n"
    "-----END PRIVATE KEY-----\n";

}  // namespace syndicated::tests
