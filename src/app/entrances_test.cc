#include "app/entrances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace nilo::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PlanEntrances : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "nilo-doors-XXXXXX").string();
    data_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(data_); }

  void add_certificate() const {
    std::filesystem::create_directories(data_ + "/certs");
    for (const char* name : {"server.crt", "server.key", "ca.crt"}) {
      std::ofstream(data_ + "/certs/" + name) << "PEM";
    }
  }
  void declare(const std::string& toml) {
    const stack::Loaded loaded = stack::parse({{"nilo.toml", toml}});
    ASSERT_TRUE(loaded.ok());
    stack_ = loaded.stack;
  }
  Result<std::vector<Entrance>> plan() const {
    return plan_entrances(given_, stack_, "/stack", data_);
  }
  // "mqtt :1883", "mqtts :8883 tls".
  std::vector<std::string> planned() const {
    std::vector<std::string> out;
    const std::vector<Entrance> entrances = plan().value();
    for (const Entrance& entrance : entrances) {
      out.push_back(entrance.name + " " + entrance.address.text() + (entrance.tls ? " tls" : ""));
    }
    return out;
  }

  std::string data_;
  GivenAddresses given_;
  stack::Stack stack_;
};

TEST_F(PlanEntrances, WithoutACertificateTheUsualPortsAreOpen) {
  EXPECT_THAT(planned(), ElementsAre("mqtt :1883", "http :8080"));
}

TEST_F(PlanEntrances, WithACertificateThoseWithTlsAreToo) {
  add_certificate();
  EXPECT_THAT(planned(),
              ElementsAre("mqtt :1883", "mqtts :8883 tls", "http :8080", "https :8443 tls"));
  const auto all = plan().value();
  const net::TlsOptions& devices = *all[1].tls;
  EXPECT_EQ(devices.identities[0].certificate_file, data_ + "/certs/server.crt");
  EXPECT_EQ(devices.client_ca_file, data_ + "/certs/ca.crt");
  EXPECT_EQ(devices.clients, net::TlsOptions::Clients::optional);
  EXPECT_THAT(devices.protocols, ElementsAre("x-amzn-mqtt-ca", "mqtt"));
  EXPECT_EQ(all[3].tls->clients, net::TlsOptions::Clients::none);
  EXPECT_THAT(all[3].tls->protocols, ElementsAre("http/1.1", "x-amzn-http-ca"));
}

TEST_F(PlanEntrances, OpenIsForThisMachineAlone) {
  add_certificate();
  given_.open = true;
  EXPECT_THAT(planned(), ElementsAre("mqtt 127.0.0.1:1883", "mqtts 127.0.0.1:8883 tls",
                                     "http 127.0.0.1:8080", "https 127.0.0.1:8443 tls"));
  for (std::string* const address : {&given_.mqtt, &given_.mqtts, &given_.http, &given_.https}) {
    *address = "192.0.2.1:1";
    const auto outcome = plan();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "--open lets in whoever reaches 192.0.2.1:1");
    address->clear();
  }
  declare("[listener.a]\naddress = \":1\"\nprotocol = \"mqtt\"\n");
  EXPECT_FALSE(plan());
}

TEST_F(PlanEntrances, AListenerOfAProtocolReplacesItsUsualPorts) {
  add_certificate();
  declare(R"(
[server]
mqtt = "127.0.0.1:7"
[listener.devices]
address = ":8884"
protocol = "mqtt"
tls = true
certificate = ["own.crt", "other.crt"]
key = ["/etc/own.key", "other.key"]
profile = "aws"
)");
  EXPECT_THAT(planned(), ElementsAre("devices :8884 tls", "http :8080", "https :8443 tls"));
  const auto all = plan().value();
  EXPECT_EQ(all[0].tls->identities[0].certificate_file, "/stack/own.crt");
  EXPECT_EQ(all[0].tls->identities[0].key_file, "/etc/own.key");
  EXPECT_EQ(all[0].tls->identities.at(1).certificate_file, "/stack/other.crt");
  EXPECT_EQ(all[0].profile, stack::Listener::Profile::aws);
}

TEST_F(PlanEntrances, AnAddressOnTheCommandLineMakesOneDoorWithTheSettingsOfTheFirst) {
  declare(R"(
[server]
http = "127.0.0.1:7"
[listener.a]
address = ":8884"
protocol = "mqtt"
tls = true
clients = "required"
[listener.b]
address = ":8885"
protocol = "mqtt"
tls = true
)");
  given_.mqtts = "127.0.0.1:0";
  EXPECT_THAT(planned(), ElementsAre("a 127.0.0.1:0 tls", "http 127.0.0.1:7"));
  EXPECT_EQ(plan().value()[0].tls->clients, net::TlsOptions::Clients::required);
  EXPECT_THAT(plan().value()[0].tls->client_ca_file, IsEmpty());
  given_.mqtt = "127.0.0.1:0";
  EXPECT_THAT(planned(), ElementsAre("mqtt 127.0.0.1:0", "a 127.0.0.1:0 tls", "http 127.0.0.1:7"));
}

}  // namespace
}  // namespace nilo::app
