// `run` as a service: its notifications to the service manager, and when it sends none.

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "storage/sqlite/file_lock.hpp"
#include "tests/end_to_end/notify_socket.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/fault.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The place of the first message with this in it; npos if there is none.
std::size_t place(const std::vector<std::string>& messages, const std::string& part) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (holds(messages[i], part)) {
            return i;
        }
    }
    return std::string::npos;
}

void stop(Process& process) {
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
}

// A watchdog that bites after 40 ms, if anybody listened to it.
constexpr const char* watchdog_usec = "40000";

// A named pipe that takes no byte more until it is read.
class FullPipe {
  public:
    explicit FullPipe(const std::filesystem::path& path) {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        descriptor_ = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(descriptor_ >= 0);
        const std::array<char, 4096> bytes{};
        while (::write(descriptor_, bytes.data(), bytes.size()) > 0) {
        }
    }
    ~FullPipe() { ::close(descriptor_); }
    FullPipe(const FullPipe&) = delete;
    FullPipe& operator=(const FullPipe&) = delete;

    void empty() const {
        std::array<char, 4096> bytes{};
        while (::read(descriptor_, bytes.data(), bytes.size()) > 0) {
        }
    }

  private:
    int descriptor_ = -1;
};

}  // namespace

TEST_CASE("service: READY, then how things are, then STOPPING") {
    for (const bool abstract : {false, true}) {
        Scene scene;
        populate(scene);
        scene.configure("mirror", "poll_interval = \"1s\"\n");
        const std::string address = abstract ? fmt::format("@copernica-mirror-test-{}", getpid())
                                             : (scene.directory() / "notify").string();
        const NotifySocket socket(address);
        scene.environment["NOTIFY_SOCKET"] = address;
        const auto process = scene.start({"run"});
        REQUIRE(
            socket.waits_for("STATUS=complete through 2026-11-23 16:59:55 (Europe/Amsterdam), "
                             "5 s behind"));
        stop(*process);
        const auto messages = socket.messages();
        CHECK(place(messages, "READY=1") == 0);
        CHECK(place(messages, "STOPPING=1") == messages.size() - 1);
        CHECK(place(messages, "WATCHDOG=1") == std::string::npos);  // nobody watches
    }
}

TEST_CASE("service: the configuration is read again at SIGHUP") {
    Scene scene;
    populate(scene, 100);
    scene.configure("mirror", "poll_interval = \"1h\"\n");
    const std::string address = (scene.directory() / "notify").string();
    const NotifySocket socket(address);
    scene.environment["NOTIFY_SOCKET"] = address;
    const auto process = scene.start({"run"});
    REQUIRE(socket.waits_for("STATUS=complete through"));
    const auto reload = [&] {
        const std::size_t before = socket.messages().size();
        process->signal(SIGHUP);
        REQUIRE(socket.waits_for("RELOADING=1\nMONOTONIC_USEC=", before));
        REQUIRE(socket.waits_for("READY=1", before));
    };
    scene.configure("mirror", "overlap = \"3m\"\nsweep = \"\"\ngive_up_after = \"1m\"\n");
    scene.configure("api", "page_size = 500\n");
    scene.reconfigure("api", "requests_per_second = 100000", "requests_per_second = 5");
    reload();
    CHECK(holds(process->err(),
                "in effect now: api.requests_per_second, mirror.overlap, mirror.sweep\n"));
    CHECK(holds(process->err(), "only for sync, backfill and audit: mirror.give_up_after"));
    CHECK(holds(process->err(), "only after a restart: api.page_size"));
    CHECK_FALSE(holds(process->err(), "rename it"));
    CHECK_FALSE(holds(process->err(), "everybody may change"));
    // What is said of it at a start is said at a reload, too.
    scene.configure("mirror", "audit_ages = [\"1h\"]\n");
    std::filesystem::permissions(scene.directory() / "config.toml",
                                 std::filesystem::perms::others_write,
                                 std::filesystem::perm_options::add);
    reload();
    CHECK(holds(process->err(), "[mirror] audit_ages is called recheck_ages now; rename it"));
    CHECK(holds(process->err(), "everybody may change"));
    scene.configure("mirror", "overlap = \"4m\"\n");  // twice: an error
    reload();
    CHECK(holds(process->err(), "is wrong, so nothing changed"));
    stop(*process);
}

TEST_CASE("service: a start in the future, if only by this machine's clock, does not end it") {
    Scene scene;
    populate(scene, 100);
    scene.configure("mirror", "start = \"2099-01-01\"\n");
    CHECK(scene.run({"sync"}).code == 2);
    const std::string address = (scene.directory() / "notify").string();
    const NotifySocket socket(address);
    scene.environment["NOTIFY_SOCKET"] = address;
    const auto process = scene.start({"run"});
    REQUIRE(socket.waits_for("READY=1"));
    CHECK(holds(process->err(), "[mirror] start 2099-01-01 00:00:00 is in the future: it is "));
    CHECK(holds(process->err(), "by this machine's clock"));
    REQUIRE(socket.waits_for(
        "STATUS=the configured start, 2099-01-01 00:00:00 (Europe/Amsterdam), is in "
        "the future by the API's clock"));
    stop(*process);
    // They have nothing to do with it.
    for (const auto& arguments : {std::vector<std::string>{"status"},
                                  {"snapshot", (scene.directory() / "copy.db").string()}}) {
        const Run run = scene.run(arguments);
        CAPTURE(run.err);
        CHECK(run.code == 0);
        CHECK_FALSE(holds(run.err, "start"));
    }
}

TEST_CASE("service: ready before the API answers, and one that never comes up is not ready") {
    Scene scene;
    populate(scene);
    scene.server.set_rule(simulator::rules::always(simulator::faults::gateway(503)));
    const std::string address = (scene.directory() / "notify").string();
    const NotifySocket socket(address);
    scene.environment["NOTIFY_SOCKET"] = address;
    const auto process = scene.start({"run"});
    REQUIRE(socket.waits_for("READY=1"));
    REQUIRE(socket.waits_for("STATUS=http"));
    const std::string outage = socket.messages().back();
    CHECK(holds(outage, "503"));
    CHECK(holds(outage, "`copernica-mirror check`"));

    // A second one cannot have the file, so it is never ready; other commands notify nobody.
    const std::string other = (scene.directory() / "other").string();
    const NotifySocket silent(other);
    scene.environment["NOTIFY_SOCKET"] = other;
    CHECK(scene.run({"run"}).code == 4);
    scene.server.set_rule({});
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(silent.messages().empty());
    stop(*process);
}

TEST_CASE("service: a refused token is told with what to do, and goes away") {
    Scene scene;
    populate(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.token = "another-token";
    const std::string address = (scene.directory() / "notify").string();
    const NotifySocket socket(address);
    scene.environment["NOTIFY_SOCKET"] = address;
    const auto process = scene.start({"run"});
    REQUIRE(socket.waits_for("Invalid access token"));
    const std::string refused = socket.messages().back();
    CHECK(holds(refused, "a new one"));
    CHECK(holds(refused, "complete through"));
    CHECK_FALSE(holds(refused, "another-token"));
    stop(*process);
}

TEST_CASE("service: the watchdog is fed while it makes progress, not while the storage hangs") {
    Scene scene;
    populate(scene);
    scene.server.clock().run_from(present());
    scene.configure("mirror", "poll_interval = \"1s\"\nsettle = \"1s\"\n");
    const std::string address = (scene.directory() / "notify").string();
    const NotifySocket socket(address);
    scene.environment["NOTIFY_SOCKET"] = address;
    scene.environment["WATCHDOG_USEC"] = watchdog_usec;
    const auto process = scene.start({"run"});
    REQUIRE(socket.waits_for("STATUS=complete"));
    REQUIRE(socket.waits_for("WATCHDOG=1"));
    {
        storage::FileLock lock(scene.database());
        REQUIRE(lock.lock(storage::FileLock::Part::write, std::chrono::seconds(60)));
        CHECK(socket.falls_silent());
        CHECK(holds(socket.messages().back(), "STATUS=the database makes no progress"));
    }
    const std::size_t until_now = socket.messages().size();
    CHECK(socket.waits_for("WATCHDOG=1", until_now));
    CHECK(socket.waits_for("STATUS=complete", until_now));
    stop(*process);
}

TEST_CASE("service: the watchdog is not fed while the loop hangs") {
    Scene scene;
    populate(scene);
    scene.standard_error = scene.directory() / "pipe";
    const FullPipe pipe(scene.standard_error);  // the first line of the log waits here
    const std::string address = (scene.directory() / "notify").string();
    const NotifySocket socket(address);
    scene.environment["NOTIFY_SOCKET"] = address;
    scene.environment["WATCHDOG_USEC"] = watchdog_usec;
    const auto process = scene.start({"run"});
    REQUIRE(socket.waits_for("READY=1"));
    CHECK(socket.falls_silent());
    const std::size_t until_now = socket.messages().size();
    pipe.empty();
    CHECK(socket.waits_for("WATCHDOG=1", until_now));
    CHECK(socket.waits_for("STATUS=complete", until_now));
    stop(*process);
}
