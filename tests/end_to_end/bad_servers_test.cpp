// What a server may say that is not HTTP, or too much of it: the real program gets over it, in
// bounded memory, and sends the token to no other server.

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/in_parallel.hpp"
#include "tests/end_to_end/peak_memory.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/simulator/gzip.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Fault;
using simulator::VerbatimReply;
namespace faults = simulator::faults;
namespace rules = simulator::rules;

namespace {

constexpr std::uint64_t most_memory = std::uint64_t{200} << 20;
constexpr std::size_t megabyte = std::size_t{1} << 20;
constexpr std::uint64_t for_ever = UINT64_MAX;

struct Case {
    std::string fault;  // its class
    std::string name;
    std::function<VerbatimReply(const std::string& body)> raw;
    std::string says;         // the program, when it came so often
    std::uint64_t times = 3;  // fewer failures in a row are not reported as an outage
};

VerbatimReply bytes(std::string text, VerbatimReply::End end = VerbatimReply::End::close) {
    VerbatimReply reply;
    reply.bytes = std::move(text);
    reply.end = end;
    return reply;
}

VerbatimReply endless(std::string begin, std::string piece, std::uint64_t pieces = for_ever) {
    VerbatimReply reply;
    reply.bytes = std::move(begin);
    reply.piece = std::move(piece);
    reply.pieces = pieces;
    return reply;
}

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

std::string length(std::size_t bytes) {
    return fmt::format("Content-Length: {}\r\n", bytes);
}

std::string chunk(const std::string& text) {
    return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

// Two gigabytes out of two megabytes, or what there is of them until the client has enough.
VerbatimReply bomb(const std::string& head, const std::string& unit) {
    const simulator::GzipBomb bomb = simulator::gzip_bomb(head, unit);
    return endless(
        ok + "Content-Encoding: gzip\r\n" + length(std::size_t{1} << 40) + "\r\n" + bomb.begin,
        bomb.piece, (std::uint64_t{2} << 30) / unit.size());
}

std::string repeated(const std::string& text, std::size_t bytes) {
    std::string all;
    all.reserve(bytes + text.size());
    while (all.size() < bytes) {
        all += text;
    }
    return all;
}

const std::string envelope = R"({"start":0,"limit":1000,"count":1,"total":1,)";
const std::string some_record = R"({"ID":"1","timestamp":"2026-06-01 12:00:00"},)";

std::vector<Case> bad_framing() {
    return {
        {"chunked, cut early", "in a chunk",
         [](const std::string& body) {
             return bytes(chunked + chunk(body).substr(0, body.size() / 2));
         },
         "connection closed by the server"},
        {"chunked, cut early", "before the last chunk",
         [](const std::string& body) { return bytes(chunked + chunk(body)); },
         "connection closed by the server"},
        {"chunked, cut early", "in the last chunk, by RST",
         [](const std::string& body) {
             return bytes(chunked + chunk(body) + "0\r\n", VerbatimReply::End::reset);
         },
         "while reading the reply"},
        {"a bad chunk size", "no number",
         [](const std::string& body) {
             return bytes(chunked + "xyz\r\n" + body + "\r\n0\r\n\r\n");
         },
         "not HTTP"},
        {"a bad chunk size", "negative",
         [](const std::string& body) { return bytes(chunked + "-5\r\n" + body + "\r\n0\r\n\r\n"); },
         "not HTTP"},
        {"a bad chunk size", "more than 64 bits",
         [](const std::string& body) {
             return bytes(chunked + "10000000000000000\r\n" + body + "\r\n0\r\n\r\n");
         },
         "not HTTP"},
        {"chunked with Content-Length", "both right",
         [](const std::string& body) {
             return bytes(ok + length(body.size()) + "Transfer-Encoding: chunked\r\n\r\n" +
                          chunk(body) + "0\r\n\r\n");
         },
         "not HTTP"},
        {"two Content-Lengths", "that differ",
         [](const std::string& body) {
             return bytes(ok + length(body.size()) + length(body.size() / 2) + "\r\n" + body);
         },
         "not HTTP"},
        {"a Content-Length that is none", "negative",
         [](const std::string& body) { return bytes(ok + "Content-Length: -1\r\n\r\n" + body); },
         "not HTTP"},
        {"a Content-Length that is none", "too many digits",
         [](const std::string& body) {
             return bytes(ok + "Content-Length: 99999999999999999999999\r\n\r\n" + body);
         },
         "not HTTP"},
        {"a header without measure", "one field of 100 KB",
         [](const std::string& body) {
             return bytes(ok + "X-Long: " + std::string(100'000, 'x') + "\r\n" +
                          length(body.size()) + "\r\n" + body);
         },
         "header of the reply is too large"},
        {"a header without measure", "10,000 fields",
         [](const std::string& body) {
             return bytes(ok + repeated("X-Many: 1\r\n", 110'000) + length(body.size()) + "\r\n" +
                          body);
         },
         "header of the reply is too large"},
        {"a header without measure", "one that never ends",
         [](const std::string&) { return endless(ok, repeated("X-Many: 1\r\n", 11'000)); },
         "header of the reply is too large"},
        {"a status line that is none", "rubbish",
         [](const std::string&) { return bytes("\x01\x02\xff rubbish\r\n\r\n"); }, "not HTTP"},
        {"HTTP/1.0", "without a length",
         [](const std::string& body) { return bytes("HTTP/1.0 200 OK\r\n\r\n" + body); },
         "no length"},
        {"HTTP/0.9", "the body alone", [](const std::string& body) { return bytes(body); },
         "not HTTP"},
        {"bytes after the body", "more JSON, within the length",
         [](const std::string& body) {
             return bytes(ok + length(body.size() + 2) + "\r\n" + body + "{}");
         },
         "something follows"},
        {"a pooled connection that died", "and the one in its place, too",
         [](const std::string&) { return bytes(""); }, "connection closed by the server", 4},
    };
}

std::vector<Case> too_much() {
    const auto gzipped = [](const std::string& packed) {
        return bytes(ok + "Content-Encoding: gzip\r\n" + length(packed.size()) + "\r\n" + packed);
    };
    return {
        {"gzip, cut", "properly framed",
         [gzipped](const std::string& body) {
             const std::string packed = simulator::gzip(body);
             return gzipped(packed.substr(0, packed.size() - 4));
         },
         "gzip stream is cut off"},
        {"gzip, wrong or doubled", "a wrong checksum",
         [gzipped](const std::string& body) {
             std::string packed = simulator::gzip(body);
             packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
             return gzipped(packed);
         },
         "gzip stream is damaged"},
        {"gzip, wrong or doubled", "none at all",
         [gzipped](const std::string& body) { return gzipped(body); }, "gzip stream is damaged"},
        {"gzip, wrong or doubled", "twice",
         [gzipped](const std::string& body) {
             return gzipped(simulator::gzip(simulator::gzip(body)));
         },
         "not JSON"},
        {"a gzip bomb, 2 GB from 2 MB", "zeros",
         [](const std::string&) { return bomb("", std::string(megabyte, '\0')); }, "not JSON"},
        {"a gzip bomb, 2 GB from 2 MB", "spaces",
         [](const std::string& body) { return bomb(body, std::string(megabyte, ' ')); },
         "too large"},
        {"a gzip bomb, 2 GB from 2 MB", "one text",
         [](const std::string&) {
             return bomb(envelope + R"("data":[{"useragent":")", std::string(megabyte, 'x'));
         },
         "too long"},
        {"a gzip bomb, 2 GB from 2 MB", "records",
         [](const std::string&) {
             return bomb(envelope + R"("data":[)", repeated(some_record, megabyte));
         },
         "too many records"},
        {"a gzip bomb, 2 GB from 2 MB", "records that are none",
         [](const std::string&) {
             return bomb(envelope + R"("data":[)", repeated("{},", megabyte));
         },
         "unusable records in the reply are too large"},
        {"a gzip bomb, 2 GB from 2 MB", "one record of many fields",
         [](const std::string&) {
             return bomb(envelope + R"("data":[{)", repeated(R"("":0,)", megabyte));
         },
         "too large"},
        {"a gzip bomb, 2 GB from 2 MB", "nested",
         [](const std::string&) { return bomb(envelope + R"("x":)", std::string(megabyte, '[')); },
         "nested too deeply"},
        {"a gzip bomb, 2 GB from 2 MB", "with an error's status",
         [](const std::string&) {
             VerbatimReply reply = bomb(R"({"error":{"message":")", std::string(megabyte, 'x'));
             reply.bytes.replace(0, ok.find('\r'), "HTTP/1.1 503 Busy");
             return reply;
         },
         "HTTP status 503"},
        {"a body without end", "chunked",
         [](const std::string& body) {
             return endless(chunked + chunk(body), chunk(std::string(megabyte, ' ')));
         },
         "too large"},
        {"a body without end", "of chunks of a byte",
         [](const std::string& body) {
             return endless(chunked + chunk(body), repeated(chunk(" "), megabyte));
         },
         "too large"},
        {"a body without end", "an extension of a chunk",
         [](const std::string&) { return endless(chunked + "1;", std::string(megabyte, 'x')); },
         "frame of a chunk is too large"},
        {"a body without end", "trailers",
         [](const std::string& body) {
             return endless(chunked + chunk(body) + "0\r\n", repeated("X-Many: 1\r\n", megabyte));
         },
         "frame of a chunk is too large"},
        {"a body without end", "up to the end of the connection",
         [](const std::string& body) {
             return endless(ok + "\r\n" + body, std::string(megabyte, ' '));
         },
         "no length"},
        {"a body without end", "of an error",
         [](const std::string&) {
             return endless("HTTP/1.1 502 Bad Gateway\r\n\r\n", std::string(megabyte, 'x'));
         },
         "HTTP status 502"},
    };
}

// In place of the first replies; then all is well.
std::string play(const Case& one) {
    FaultClass fault_class("server", one.fault);
    fault_class.begin();
    Scene scene;
    populate(scene, 300);
    std::atomic<pid_t> process_id = 0;
    std::atomic<std::uint64_t> peak = 0;
    Fault fault;
    fault.raw = one.raw;
    scene.server.set_rule([&, fault](const simulator::Request& request) -> std::optional<Fault> {
        if (process_id != 0) {
            peak = std::max(peak.load(), peak_memory(process_id));
        }
        const bool struck =
            request.call == simulator::Call::impressions && request.call_number <= one.times;
        return struck ? std::optional(fault) : std::nullopt;
    });
    const auto process = scene.start({"sync"});
    process_id = process->id();
    Run run;
    run.code = process->wait();
    run.out = process->out();
    run.err = process->err();
    scene.server.set_rule({});

    std::string complaint = scene.complaint(run);
    if (run.err.find(one.says) == std::string::npos) {
        complaint += fmt::format("\nit does not say \"{}\": {}", one.says, run.err);
    }
    if (peak == 0 || (memory_is_ours && peak > most_memory)) {
        complaint += fmt::format("\nit took {} MB of memory", peak / megabyte);
    }
    if (complaint.empty()) {
        fault_class.passed();
        return {};
    }
    return one.fault + ", " + one.name + ": " + complaint;
}

}  // namespace

TEST_CASE("bad servers: what is not HTTP is refused") {
    in_parallel(bad_framing(), play, 12);
}

TEST_CASE("bad servers: what has no measure is not waited for") {
    in_parallel(too_much(), play, 12);
}

TEST_CASE("bad servers: bombs on all connections at once") {
    const std::vector<Case> bombs{
        {"a gzip bomb, 2 GB from 2 MB", "texts of a megabyte, on four connections",
         [](const std::string&) {
             std::string unit = R"({"ID":"1","timestamp":"2026-06-01 12:00:00","ip":")";
             unit += std::string(megabyte - unit.size() - 3, 'x') + "\"},";
             return bomb(envelope + R"("data":[)", unit);
         },
         ""},
        {"a gzip bomb, 2 GB from 2 MB", "rejects, on four connections",
         [](const std::string&) {
             std::string unit = R"({"ID":"x","timestamp":")";
             unit += std::string(megabyte / 2 - unit.size() - 3, 'x') + "\"},";
             return bomb(envelope + R"("data":[)", unit);
         },
         ""},
    };
    in_parallel(bombs, [](const Case& one) -> std::string {
        FaultClass fault_class("server", one.fault);
        fault_class.begin();
        Scene scene;
        populate(scene, 12'000);
        scene.configure("api", "page_size = 100\n");
        // So that several requests are under way at a time.
        scene.server.change([](simulator::Behaviour& behaviour) {
            behaviour.latency = std::chrono::milliseconds(20);
        });
        std::atomic<pid_t> process_id = 0;
        std::atomic<std::uint64_t> peak = 0;
        std::atomic<int> bombs_sent = 0;
        Fault fault;
        fault.raw = one.raw;
        scene.server.set_rule([&](const simulator::Request& request) -> std::optional<Fault> {
            peak = std::max(peak.load(), peak_memory(process_id));
            // In the middle, when all connections are in use.
            if (request.call != simulator::Call::impressions || request.call_number < 60 ||
                bombs_sent >= 6) {
                return std::nullopt;
            }
            ++bombs_sent;
            return fault;
        });
        const auto process = scene.start({"sync"});
        process_id = process->id();
        Run run;
        run.code = process->wait();
        run.out = process->out();
        run.err = process->err();
        scene.server.set_rule({});
        std::string complaint = scene.complaint(run);
        if (bombs_sent < 6 || peak == 0 || (memory_is_ours && peak > most_memory)) {
            complaint +=
                fmt::format("\n{} bombs, {} MB of memory", bombs_sent.load(), peak / megabyte);
        }
        if (complaint.empty()) {
            fault_class.passed();
            return {};
        }
        return one.name + ": " + complaint;
    });
}

TEST_CASE("bad servers: a redirect is followed on the same server only, and a few times at most") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    simulator::ServerOptions with_tls;
    with_tls.tls = certificates.good;
    struct Redirect {
        std::string name;
        bool followed;
        std::function<std::string(const Scene& here, const Scene& there, const std::string& path)>
            to;
    };
    const std::string canary = "?access_token=simulated-token&x=1";
    const std::vector<Redirect> redirects{
        {"a loop", false, [](const Scene&, const Scene&, const std::string& path) { return path; }},
        {"a loop, with the token in the URL", false,
         [&](const Scene& here, const Scene&, const std::string& path) {
             return here.server.url() + path.substr(3) + canary;
         }},
        {"once, to the same server", true,
         [](const Scene& here, const Scene&, const std::string& path) {
             return here.server.url() + path.substr(3);
         }},
        {"to another server, with the token in the URL", false,
         [&](const Scene&, const Scene& there, const std::string& path) {
             return there.server.url() + path.substr(3) + canary;
         }},
        {"to another name of the same server", false,
         [](const Scene& here, const Scene&, const std::string& path) {
             return here.server.url("localhost") + path.substr(3);
         }},
        {"to plain HTTP, another port", false,
         [&](const Scene&, const Scene& there, const std::string& path) {
             return "http" + there.server.url().substr(there.server.url().find(':')) +
                    path.substr(3) + canary;
         }},
        {"to plain HTTP, the same port", false,
         [&](const Scene& here, const Scene&, const std::string& path) {
             return "http" + here.server.url().substr(here.server.url().find(':')) +
                    path.substr(3) + canary;
         }},
        {"without a scheme", false,
         [](const Scene&, const Scene& there, const std::string& path) {
             return there.server.url().substr(there.server.url().find(':') + 1) + path.substr(3);
         }},
    };
    for (const Redirect& redirect : redirects) {
        CAPTURE(redirect.name);
        FaultClass fault_class("server", "redirects");
        fault_class.begin();
        Scene elsewhere;
        Scene scene({}, with_tls);
        scene.configure("api", "ca_file = \"" + certificates.authority.string() + "\"\n");
        scene.configure("mirror", "give_up_after = \"0s\"\n");
        populate(scene, 300);
        std::atomic<int> left = redirect.followed ? 2 : 1'000'000;
        scene.server.set_rule([&](const simulator::Request& request) -> std::optional<Fault> {
            if (left == 0) {
                return std::nullopt;
            }
            --left;
            return faults::redirect(redirect.to(scene, elsewhere, request.path));
        });
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        const bool well = redirect.followed
                              ? scene.complaint(run).empty()
                              : run.code == 1 && scene.requests() <= 4 && scene.rows().empty();
        CHECK(well);
        CHECK(elsewhere.server.counters().connections == 0);
        CHECK(run.err.find("simulated-token") == std::string::npos);
        scene.server.set_rule({});
        scene.server.clock().advance(Seconds(60));
        const std::string afterwards = scene.complaint(scene.run({"sync"}));
        CHECK(afterwards == "");
        if (well && elsewhere.server.counters().connections == 0 && afterwards.empty()) {
            fault_class.passed();
        }
    }
}

TEST_CASE("bad servers: TLS that is closed in the middle, and pooled connections that died") {
    const TemporaryDirectory directory;
    const auto certificates = simulator::make_certificates(directory.path());
    simulator::ServerOptions with_tls;
    with_tls.tls = certificates.good;
    struct Ending {
        const char* fault;
        std::function<VerbatimReply(const std::string& body)> raw;
    };
    const auto whole = [](const std::string& body) {
        return ok + length(body.size()) + "\r\n" + body;
    };
    const std::vector<Ending> endings{
        {"TLS closed in the middle",
         [&](const std::string& body) { return bytes(whole(body).substr(0, 200)); }},
        {"TLS closed in the middle",
         [&](const std::string& body) {
             return bytes(whole(body).substr(0, 200), VerbatimReply::End::reset);
         }},
        {"a pooled connection that died",
         [&](const std::string& body) { return bytes(whole(body)); }},
        {"a pooled connection that died",
         [&](const std::string& body) { return bytes(whole(body), VerbatimReply::End::reset); }},
    };
    in_parallel(endings, [&](const Ending& ending) {
        FaultClass fault_class("server", ending.fault);
        fault_class.begin();
        Scene scene({}, with_tls);
        scene.configure("api", "ca_file = \"" + certificates.authority.string() + "\"\n");
        populate(scene, 1000);
        Fault fault;
        fault.raw = ending.raw;
        scene.server.set_rule(rules::every(4, fault));
        std::string complaint = scene.complaint(scene.run({"sync"}));
        if (complaint.empty()) {
            fault_class.passed();
        }
        return complaint;
    });
}
