#include "value/distinguished_name.h"

#include <gtest/gtest.h>

namespace nilo {
namespace {

std::string shown(std::string_view text) {
  std::string out;
  for (const NamePart& part : parts_of_name(text)) out += part.type + "=" + part.value + ";";
  return out;
}

TEST(DistinguishedName, HasItsPartsInTheOrderOfTheCertificate) {
  EXPECT_EQ(shown("CN=tank-1,OU=b+OU=a,O=Water"), "O=Water;OU=a;OU=b;CN=tank-1;");
  EXPECT_EQ(shown("CN="), "CN=;");
  EXPECT_EQ(shown(""), "");
}

TEST(DistinguishedName, TakesEscapedSeparatorsAsText) {
  EXPECT_EQ(shown("CN=a\\,CN\\=admin,O=b\\+c\\\\"), "O=b+c\\;CN=a,CN=admin;");
  EXPECT_EQ(shown("CN=\\#1,O=caf\\C3\\A9"), "O=caf\xc3\xa9;CN=#1;");
}

TEST(DistinguishedName, LeavesOutWhatIsNoText) {
  EXPECT_EQ(shown("CN=#0403616263,O=Water"), "O=Water;");
  EXPECT_EQ(shown("CN=a\\00b,O=Water"), "O=Water;");
  EXPECT_EQ(shown("CN=\\FF,O=Water"), "O=Water;");
  EXPECT_EQ(shown("CN=ends\\"), "CN=ends\\;");
  EXPECT_EQ(shown("no name"), "");
}

TEST(DistinguishedName, HasALimit) {
  std::string text;
  for (std::size_t i = 0; i <= kNamePartsMax; ++i) text += "OU=x,";
  EXPECT_EQ(parts_of_name(text.substr(0, text.size() - 6)).size(), kNamePartsMax);
  EXPECT_EQ(parts_of_name(text).size(), kNamePartsMax);
}

}  // namespace
}  // namespace nilo
