#include "tests/end_to_end/canary.hpp"

#include <atomic>
#include <filesystem>

#include <fmt/format.h>

#include "tests/simulator/jwt.hpp"
#include "tests/support/fault_table.hpp"

namespace mirror::test {

using simulator::Fault;
using simulator::VerbatimReply;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

std::string base64(std::string_view bytes) {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at + 3 <= bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            three = three << 8 | static_cast<unsigned char>(bytes[at + i]);
        }
        for (int shift = 18; shift >= 0; shift -= 6) {
            text += digits[three >> shift & 63U];
        }
    }
    return text;
}

std::string hexadecimal(std::string_view bytes, const char* format) {
    std::string text;
    for (const char byte : bytes) {
        text += fmt::format(fmt::runtime(format), static_cast<unsigned char>(byte));
    }
    return text;
}

// Its payload and its signature: all JWTs begin alike.
std::vector<std::string> parts_of_jwt() {
    const std::string token = canary_jwt();
    const std::size_t payload = token.find('.') + 1;
    const std::size_t signature = token.rfind('.') + 1;
    return {token.substr(payload, signature - payload - 1), token.substr(signature)};
}

// Every form in which a half could be seen, wherever it stood in what was encoded.
std::vector<std::string> forms() {
    std::vector<std::string> all;
    std::vector<std::string> secrets = parts_of_jwt();
    secrets.insert(secrets.end(), {first_half, second_half});
    for (const std::string& half : secrets) {
        all.push_back(half);
        all.push_back(hexadecimal(half, "{:02x}"));
        all.push_back(hexadecimal(half, "{:02X}"));
        all.push_back(hexadecimal(half, "%{:02x}"));
        all.push_back(hexadecimal(half, "%{:02X}"));
        for (std::size_t offset = 0; offset < 3; ++offset) {
            all.push_back(base64(std::string_view(half).substr(offset)));
        }
    }
    return all;
}

}  // namespace

void Looks::look(pid_t process) {
    const std::lock_guard lock(mutex_);
    for (const char* const name : {"cmdline", "environ", "comm"}) {
        seen_ += bytes_of(fmt::format("/proc/{}/{}", process, name));
    }
}

std::string Looks::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

std::string canary_jwt() {
    return simulator::make_jwt(simulator::Jwt{}, simulator::Identity{}.id, present());
}

std::string leak_in(const std::string& where, const std::string& text) {
    static const std::vector<std::string> all = forms();
    for (const std::string& form : all) {
        const std::size_t at = text.find(form);
        if (at != std::string::npos) {
            const std::size_t begin = at < 100 ? 0 : at - 100;
            return fmt::format("\nthe token is in {}: {}", where, text.substr(begin, 250));
        }
    }
    return {};
}

simulator::Behaviour with_canary() {
    simulator::Behaviour behaviour;
    behaviour.token = canary;
    return behaviour;
}

std::string play(const Failure& failure) {
    FaultClass fault_class("secrets", "the token, where something fails");
    std::string complaint;
    for (const char* const format : {"text", "json"}) {
        fault_class.begin();
        const std::size_t before = complaint.size();
        Scene scene(with_canary(), failure.server);
        scene.token = canary;
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        populate(scene, 200);
        if (failure.version_4) {
            scene.server.change(
                [](simulator::Behaviour& all) { all.version4.takes_api_token = false; });
            scene.use_version_4();
        }
        failure.arrange(scene);
        Looks looks;
        std::atomic<pid_t> id = 0;
        scene.server.set_before([&](const simulator::Request&) {
            if (id != 0) {
                looks.look(id);
            }
        });
        std::vector<std::string> words = failure.command;
        words.insert(words.end(), {"--log-level", "trace", "--log-format", format});
        const auto process = scene.start(words);
        id = process->id();
        const int code = process->wait();
        scene.server.set_before({});
        if (failure.code >= 0 && code != failure.code) {
            complaint += fmt::format("\nexit code {}: {}", code, process->err());
        }
        complaint += leak_in("standard output", process->out());
        complaint += leak_in("the log", process->err());
        complaint += leak_in("what /proc shows", looks.seen());
        for (const auto& entry : std::filesystem::recursive_directory_iterator(scene.directory())) {
            if (entry.is_regular_file() && entry.path().filename() != "token") {
                complaint += leak_in(entry.path().filename().string(), bytes_of(entry.path()));
            }
        }
        const Run status = scene.run({"status", "--json"});
        complaint += leak_in("status", status.out + status.err);
        if (complaint.size() == before) {
            fault_class.passed();
        }
    }
    return complaint.empty() ? complaint : failure.name + ":" + complaint;
}

std::function<void(Scene&)> always(Fault fault) {
    return [fault = std::move(fault)](Scene& scene) {
        scene.server.set_rule([fault](const simulator::Request&) { return std::optional(fault); });
    };
}

std::function<void(Scene&)> page(Fault fault) {
    return
        [fault = std::move(fault)](Scene& scene) { scene.server.set_rule(rules::always(fault)); };
}

Fault raw(std::string bytes) {
    VerbatimReply reply;
    reply.bytes = std::move(bytes);
    return faults::raw(std::move(reply));
}

std::function<void(Scene&)> records(const std::string& in_place_of, const std::string& text) {
    return [=](Scene& scene) {
        Fault fault;
        fault.page = [=](simulator::Page& replied) {
            for (std::string& record : replied.records) {
                const std::size_t at = record.find(in_place_of);
                if (at != std::string::npos) {
                    record.replace(at, in_place_of.size(), text);
                }
            }
        };
        scene.server.set_rule(rules::always(fault));
    };
}

}  // namespace mirror::test
