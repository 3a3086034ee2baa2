// A peer that answers on D-Bus as systemd does.
#include "daemon/check/unit_state.hpp"

#include <cstring>
#include <map>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.hpp"

using namespace mirror::daemon;
using mirror::test::TemporaryDirectory;
using Properties = std::map<std::string, std::string>;

namespace {

std::chrono::steady_clock::time_point in(std::chrono::milliseconds patience) {
    return std::chrono::steady_clock::now() + patience;
}

std::chrono::steady_clock::time_point in_a_minute() {
    return in(std::chrono::minutes(1));
}

class Listener {
  public:
    Listener() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = (directory_.path() / "systemd").string();
        if (path.size() >= sizeof(address.sun_path)) {
            throw std::runtime_error("the path of the socket is too long");
        }
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
            ::listen(socket_, 1) != 0) {
            throw std::runtime_error("cannot listen");
        }
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { ::close(socket_); }

    int accept() const { return ::accept(socket_, nullptr, nullptr); }
    SystemdAddress address() const {
        return {"unix:path=" + (directory_.path() / "systemd").string(), false};
    }

  private:
    TemporaryDirectory directory_;
    int socket_;
};

// Answers Properties.Get with what `userdata` has, for one unit.
int answer(sd_bus_message* message, void* userdata, sd_bus_error*) {
    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get") <= 0) {
        return 0;
    }
    const auto& properties = *static_cast<const Properties*>(userdata);
    const char* interface = nullptr;
    const char* name = nullptr;
    sd_bus_message_read(message, "ss", &interface, &name);
    const auto value = properties.find(name);
    const bool known = value != properties.end() &&
                       std::string(interface) == "org.freedesktop.systemd1.Unit" &&
                       std::string(sd_bus_message_get_path(message)) ==
                           "/org/freedesktop/systemd1/unit/copernica_2dmirror_2eservice";
    return known ? sd_bus_reply_method_return(message, "v", "s", value->second.c_str())
                 : sd_bus_reply_method_errorf(message, SD_BUS_ERROR_UNKNOWN_OBJECT, "unknown");
}

// Serves one connection to its end.
void serve(const Listener& listener, Properties properties) {
    sd_bus* bus = nullptr;
    sd_id128_t id{};
    const int client = listener.accept();
    sd_id128_randomize(&id);
    sd_bus_new(&bus);
    sd_bus_set_fd(bus, client, client);
    sd_bus_set_server(bus, 1, id);
    sd_bus_add_filter(bus, nullptr, answer, &properties);
    sd_bus_start(bus);
    int progress = 0;
    while ((progress = sd_bus_process(bus, nullptr)) >= 0) {
        if (progress == 0 && sd_bus_wait(bus, UINT64_MAX) < 0) {
            break;
        }
    }
    sd_bus_close_unref(bus);
}

std::optional<UnitState> asked(const Properties& properties, const std::string& unit) {
    const Listener listener;
    std::thread systemd([&] { serve(listener, properties); });
    const auto state = read_unit_state(unit, in_a_minute(), {listener.address()});
    systemd.join();
    return state;
}

const Properties running{{"LoadState", "loaded"},
                         {"ActiveState", "active"},
                         {"SubState", "running"},
                         {"UnitFileState", ""}};

}  // namespace

TEST_CASE("unit state: as systemd tells it") {
    const auto state = asked(running, "copernica-mirror.service");
    REQUIRE(state);
    CHECK(state->load == "loaded");
    CHECK(state->active == "active");
    CHECK(state->sub == "running");
    CHECK(state->file == "");
}

TEST_CASE("unit state: nothing if systemd does not tell it") {
    CHECK_FALSE(asked(running, "other.service"));
    Properties less = running;
    less.erase("SubState");
    CHECK_FALSE(asked(less, "copernica-mirror.service"));
}

TEST_CASE("unit state: nothing if nobody answers, and the next address is tried") {
    const SystemdAddress nobody{"unix:path=/nonexistent/socket", false};
    CHECK_FALSE(read_unit_state("copernica-mirror.service", in_a_minute(), {nobody}));
    const Listener silent;
    CHECK_FALSE(read_unit_state("copernica-mirror.service", in(std::chrono::milliseconds(50)),
                                {silent.address()}));
    const Listener listener;
    std::thread systemd([&] { serve(listener, running); });
    const auto state =
        read_unit_state("copernica-mirror.service", in_a_minute(), {nobody, listener.address()});
    systemd.join();
    CHECK(state);
}

TEST_CASE("unit state: nobody is asked when the time is over") {
    const Listener listener;  // whoever is asked would wait for an answer
    CHECK_FALSE(read_unit_state("copernica-mirror.service", in(std::chrono::seconds(0)),
                                {listener.address(), listener.address()}));
}
