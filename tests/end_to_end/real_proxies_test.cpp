// Proxies as companies run them, of Debian's packages. One that is not installed is named, and not
// tried: packaging/install-build-dependencies --full installs them.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/support/loopback_listener.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

enum class Access {
    everyone,
    password,  ///< only "ann" with "word"
    nobody,    ///< no target is allowed
};

// Nothing if it is not installed.
std::optional<std::string> installed(const std::string& program) {
    for (const char* const directory : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
        if (std::filesystem::exists(directory + program)) {
            return directory + program;
        }
    }
    return std::nullopt;
}

// A port that was free a moment ago.
std::uint16_t free_port() {
    return LoopbackListener(1).port();
}

std::string tinyproxy_configuration(std::uint16_t port, Access access) {
    std::string text =
        fmt::format("Port {}\nListen 127.0.0.1\nAllow 127.0.0.1\nMaxClients 20\n", port);
    switch (access) {
        case Access::everyone:
            break;
        case Access::password:
            text += "BasicAuth ann word\n";
            break;
        case Access::nobody:
            text += "ConnectPort 443\n";
            break;
    }
    return text;
}

// `users`: its file of passwords.
std::string squid_configuration(std::uint16_t port, Access access,
                                const std::filesystem::path& users) {
    std::string text = fmt::format("http_port 127.0.0.1:{}\n", port);
    switch (access) {
        case Access::everyone:
            text += "http_access allow all\n";
            break;
        case Access::password:
            text += fmt::format(
                "auth_param basic program /usr/lib/squid/basic_ncsa_auth {}\n"
                "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n",
                users.string());
            break;
        case Access::nobody:
            text += "http_access deny all\n";
            break;
    }
    // Nothing is kept, in memory or on the disk, and nobody is waited for at the end.
    return text +
           "visible_hostname proxy.test\ncache deny all\ncache_mem 0 MB\nmemory_cache_shared off\n"
           "access_log none\ncache_store_log none\ncache_log /dev/null\npid_filename none\n"
           "netdb_filename none\npinger_enable off\ncoredump_dir none\n"
           "max_filedescriptors 1024\nshutdown_lifetime 0 seconds\n";
}

// One of them, as a child of this process. It may not listen yet when this returns: the program
// under test tries again.
class RealProxy {
  public:
    RealProxy(const std::string& name, const std::string& program, Access access)
        : port_(free_port()) {
        // Started by root, squid becomes a user of its own, who has to read them.
        std::filesystem::permissions(
            directory_.path(),
            std::filesystem::perms::group_exec | std::filesystem::perms::others_exec,
            std::filesystem::perm_options::add);
        // The password is "word".
        const auto users = directory_.file("users", "ann:$apr1$mirror$ScZ3keRUxa17.omwBxCQn0\n");
        const bool is_squid = name == "squid";
        const auto configuration =
            directory_.file("configuration", is_squid ? squid_configuration(port_, access, users)
                                                      : tinyproxy_configuration(port_, access));
        ProcessOptions options;
        options.directory = directory_.path();
        options.arguments = {is_squid ? "-N" : "-d"};  // in the foreground
        if (is_squid) {
            // Several at a time share nothing.
            options.arguments.insert(options.arguments.end(), {"-n", fmt::format("port{}", port_)});
            options.arguments.insert(options.arguments.end(), {"-f", configuration.string()});
        } else {
            options.arguments.insert(options.arguments.end(), {"-c", configuration.string()});
        }
        process_ = std::make_unique<Process>(program, options);
    }

    std::string place() const { return fmt::format("127.0.0.1:{}", port_); }
    std::string url(const std::string& credentials = "") const {
        return fmt::format("http://{}{}{}", credentials, credentials.empty() ? "" : "@", place());
    }
    void end() { process_.reset(); }

  private:
    TemporaryDirectory directory_;
    std::uint16_t port_;
    std::unique_ptr<Process> process_;
};

// An account behind TLS, and a program that is to go through a proxy.
struct Behind {
    Behind() : certificates(simulator::make_certificates(directory.path())), scene({}, tls()) {
        scene.configure("api", "ca_file = \"" + certificates.authority.string() + "\"\n");
        populate(scene, 1000);
    }

    simulator::ServerOptions tls() const {
        simulator::ServerOptions options;
        options.tls = certificates.good;
        return options;
    }

    void use(const std::string& url) {
        const std::string line = "proxy = \"" + url + "\"";
        if (before) {
            scene.reconfigure("api", *before, line);
        } else {
            scene.configure("api", line + "\n");
        }
        before = line;
    }

    // Both `sync` and `check` end with 1, and say that of the proxy.
    void check_refused(const RealProxy& proxy, const std::string& why) {
        const std::string said = "the proxy " + proxy.place() + " " + why;
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 1);
        CHECK(run.err.find(said) != std::string::npos);
        const Run check = scene.run({"check"});
        CAPTURE(check.out);
        CHECK(check.out.find("FAIL proxy") != std::string::npos);
        CHECK(check.out.find(said) != std::string::npos);
    }

    TemporaryDirectory directory;
    simulator::Certificates certificates;
    Scene scene;
    std::optional<std::string> before;
};

// Those that are installed.
template <typename Play>
void with_each(const Play& play) {
    for (const std::string name : {"tinyproxy", "squid"}) {
        CAPTURE(name);
        if (const auto program = installed(name)) {
            play(name, *program);
        } else {
            MESSAGE(name << " is not installed: not tried");
        }
    }
}

}  // namespace

TEST_CASE("real proxies: exact in both versions of the API, and nothing passes it by") {
    with_each([](const std::string& name, const std::string& program) {
        RealProxy proxy(name, program, Access::everyone);
        Behind behind;
        Scene& scene = behind.scene;
        behind.use(proxy.url());
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        scene.server.change(
            [](simulator::Behaviour& all) { all.version4.takes_api_token = false; });
        scene.use_version_4();
        scene.account.add(row(5'000'000, present() - Seconds(60)));
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        CHECK(scene.token_service->counters().requests > 0);
        const Run check = scene.run({"check"});
        CHECK(check.out.find("leads to 127.0.0.1:") != std::string::npos);

        scene.configure("mirror", "give_up_after = \"0s\"\n");
        scene.server.stop_listening();
        behind.check_refused(proxy, name == "squid" ? "does not reach 127.0.0.1"
                                                    : "makes no connection to 127.0.0.1");
        proxy.end();
        const Run run = scene.run({"sync"});
        CHECK(run.code == 1);
        CHECK(run.err.find("the proxy " + proxy.place()) != std::string::npos);
    });
}

TEST_CASE("real proxies: a password that is right, wrong, or missing") {
    with_each([](const std::string& name, const std::string& program) {
        const RealProxy proxy(name, program, Access::password);
        Behind behind;
        Scene& scene = behind.scene;
        behind.use(proxy.url("ann:word"));
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        behind.use(proxy.url("ann:wrong"));
        behind.check_refused(proxy, "refuses the user name and the password");
        behind.use(proxy.url());
        behind.check_refused(proxy, "wants a user name and a password");
        scene.account.add(row(5'000'000, present() - Seconds(60)));
        behind.use(proxy.url("ann"));
        std::ofstream(scene.directory() / "word") << "word\n";
        scene.configure("api", "proxy_password_file = \"word\"\n");
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    });
}

TEST_CASE("real proxies: a target that is not allowed is told as the proxy's doing") {
    with_each([](const std::string& name, const std::string& program) {
        const RealProxy proxy(name, program, Access::nobody);
        Behind behind;
        behind.use(proxy.url());
        behind.check_refused(proxy, "does not allow connections to 127.0.0.1");
        CHECK(behind.scene.server.counters().requests_with_token == 0);
    });
}
