// app/policy_certificate.h: what policies may ask of the certificate that a device shows.
//
// Filled in: iot:CertificateId (the fingerprint), iot:Certificate.SerialNumber, all parts of
// .Subject and .Issuer that policies know, .Subject.AlternativeName.DNSName and .IPAddress. Without
// a value: other alternative names, those of the issuer, AvailableKeys. A name that reads as an
// address is one.
// Threads: any.
// Limits:  kNamePartsMax parts, kAlternativeNamesMax names; those beyond have no value.
// Source:  AWS IoT Core, "X.509 certificate policy variables".
#pragma once

#include "net/certificate.h"
#include "value/policy.h"

namespace nilo::app {

void add_certificate(PolicySubject& subject, const net::Certificate& shown);

}  // namespace nilo::app
