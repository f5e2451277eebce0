#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/api_test_kit.h"

namespace nilo::api::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using ApiCertificates = ApiTest;

TEST_F(ApiCertificates, AreIssuedWithTheKeyOnce) {
  const std::string issued =
      post("/api/v1/certificates", R"({"name":"tank-1","valid_days":2,"topics":["a/#"]})");
  EXPECT_THAT(issued, HasSubstr(R"(201 {"fingerprint":"ab12","name":"tank-1","kind":"device")"));
  EXPECT_THAT(issued, HasSubstr(R"("certificate":"C","key":"K","ca_certificate":"A")"));
  EXPECT_EQ(new_certificate_.name, "tank-1");
  EXPECT_EQ(new_certificate_.valid_for_us, std::int64_t{2} * 24 * 3600 * 1'000'000);
  EXPECT_EQ(new_certificate_.topics, std::vector<std::string>{"a/#"});
  const std::string listed = get("/api/v1/certificates");
  EXPECT_THAT(listed,
              HasSubstr(R"("topics":["a/#"],"auto":false,"created":"1970-01-01T00:00:01Z")"));
  EXPECT_THAT(listed, HasSubstr(R"("not_after":null)"));
  EXPECT_THAT(listed, Not(HasSubstr("\"key\"")));
  EXPECT_THAT(post("/api/v1/certificates", R"({"name":"tank-1","request":"R"})"),
              Not(HasSubstr("\"key\"")));
}

TEST_F(ApiCertificates, AreRegisteredByWhatThereIs) {
  const std::string path = "/api/v1/certificates/register";
  EXPECT_THAT(post(path, R"({"name":"a","fingerprint":"AB","inactive":true})"), HasSubstr("201"));
  EXPECT_EQ(foreign_.fingerprint, "AB");
  EXPECT_TRUE(foreign_.is_inactive);
  EXPECT_THAT(post(path, R"({"certificate":"P","ca":true,"auto":true})"), HasSubstr("201"));
  EXPECT_TRUE(foreign_.is_ca && foreign_.admits);
  for (const char* mistake :
       {R"({})", R"({"fingerprint":"a","certificate":"b"})", R"({"fingerprint":"a","ca":true})",
        R"({"certificate":"a","auto":true})", R"({"certificate":1})",
        R"({"certificate":"a","inactive":"yes"})", R"({"certificate":"a","topics":["#/a"]})",
        R"({"certificate":"a","key":"b"})"}) {
    EXPECT_THAT(post(path, mistake), HasSubstr("400")) << mistake;
  }
}

TEST_F(ApiCertificates, ChangeTheirStateAndGo) {
  EXPECT_THAT(post("/api/v1/certificates/ab12", R"({"state":"revoked"})"), HasSubstr("200"));
  EXPECT_EQ(certificate_change_, "ab12 revoked");
  EXPECT_EQ(ask("DELETE", "/api/v1/certificates/ab12").status, 204);
  EXPECT_EQ(revoked_, "ab12");
  EXPECT_EQ(get("/api/v1/ca", ""), "200 the CA") << "for whoever wants to know this server";
}

using ApiThingEdits = ApiTest;

TEST_F(ApiThingEdits, WriteDownAThingAndShowIt) {
  const auto put = [this](const std::string& id, const std::string& body) {
    return line(ask("PUT", "/api/v1/things/" + id, kAdmin, body));
  };
  EXPECT_EQ(put("tank-4", R"({"type":"tank","name":"Meadow","properties":)"
                          R"({"depth":"89 cm","lat":48.25,"indoor":true}})"),
            "200 tank-4");
  EXPECT_EQ(put("tank-1", "{}"), "409 it is written elsewhere");
  for (const std::string& mistake :
       {std::string("[]"), std::string(R"({"nam":"x"})"), std::string(R"({"properties":[]})"),
        std::string(R"({"properties":{"a":null}})"),
        std::string(R"({"properties":{"name":"x"}})")}) {
    EXPECT_THAT(put("tank-4", mistake), HasSubstr("400")) << mistake;
  }
  EXPECT_THAT(put("tank-4", "{\"name\":\"" + std::string(1025, 'x') + "\"}"), HasSubstr("413"));
  EXPECT_EQ(ask("DELETE", "/api/v1/things/tank-4").status, 204);
  EXPECT_EQ(ask("DELETE", "/api/v1/things/tank-5").status, 404);
  EXPECT_EQ(ask("PUT", "/api/v1/things/tank-4", kViewer, "{}").status, 403);
}

}  // namespace
}  // namespace nilo::api::test
