#include "core/copernica/token_reload.hpp"

#include <map>
#include <string>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tests/unit/sync/run_coroutine.hpp"
#include "tests/unit/sync/world.hpp"

using namespace mirror;
using copernica::TokenReload;
using tests::run;

namespace {

// An API with some tokens and the accounts that they belong to.
class Accounts final : public copernica::Api {
  public:
    boost::asio::awaitable<copernica::PageReply> page(const Stream& /*stream*/,
                                                      copernica::PageQuery /*query*/,
                                                      copernica::RequestGate& gate) override {
        co_await gate.pass();
        check();
        pages.push_back(token);
        co_return copernica::PageReply{};
    }
    boost::asio::awaitable<copernica::Identity> identity(copernica::RequestGate& gate) override {
        co_await gate.pass();
        check();
        ++identities;
        copernica::Identity whose;
        whose.id = owners.at(token);
        co_return whose;
    }

    boost::asio::awaitable<copernica::StatisticsReply> statistics(
        copernica::StatisticsQuery /*query*/, copernica::RequestGate& gate) override {
        co_await gate.pass();
        check();
        pages.push_back(token);
        co_return copernica::StatisticsReply();
    }

    std::map<std::string, std::string> owners;
    std::string token;
    std::vector<std::string> pages;  // the tokens that pages were given for
    int identities = 0;

  private:
    void check() const {
        if (!owners.contains(token)) {
            throw copernica::ApiError(copernica::ErrorKind::token_refused, "Invalid access token",
                                      401);
        }
    }
};

struct Setup {
    Setup() {
        inner.owners["old"] = "34";
        inner.token = "old";
    }

    TokenReload::Source source() {
        TokenReload::Source made;
        made.read = [this] {
            ++reads;
            return file;
        };
        made.use = [this](const Secret& token) { inner.token = token.reveal(); };
        return made;
    }

    void page() { run(loop, renewed.page(streams().front(), copernica::PageQuery{}, gate)); }
    bool page_refused() {
        try {
            page();
        } catch (const copernica::ApiError& error) {
            return error.kind() == copernica::ErrorKind::token_refused;
        }
        return false;
    }
    std::string identity() { return run(loop, renewed.identity(gate)).id; }

    boost::asio::io_context loop;
    Accounts inner;
    std::optional<std::string> file = "old";
    int reads = 0;
    tests::Log log;
    copernica::OpenGate gate;
    TokenReload renewed{inner, Secret("old"), source(), log};
};

}  // namespace

TEST_CASE("renewed token: a file is not looked at while the token serves") {
    Setup s;
    CHECK(s.identity() == "34");
    s.file = "new";
    s.page();
    CHECK(s.reads == 0);
    CHECK(s.inner.pages == std::vector<std::string>{"old"});
}

TEST_CASE("renewed token: a new one of the same account is taken after the old was refused") {
    Setup s;
    s.identity();
    s.inner.owners.erase("old");
    CHECK(s.page_refused());
    CHECK(s.page_refused());  // the file still has the old one
    s.file = std::nullopt;
    CHECK(s.page_refused());
    s.inner.owners["new"] = "34";
    s.file = "new";
    const int asked = s.inner.identities;
    s.page();
    CHECK(s.inner.identities == asked + 1);
    CHECK(s.inner.pages.back() == "new");
    const int reads = s.reads;
    s.page();
    CHECK(s.reads == reads);
    CHECK(s.inner.identities == asked + 1);
}

TEST_CASE("renewed token: another account's gets no page, and the next right one does") {
    Setup s;
    s.identity();
    s.inner.owners.erase("old");
    CHECK(s.page_refused());
    s.inner.owners["strange"] = "35";
    s.file = "strange";
    CHECK(s.page_refused());
    CHECK(s.page_refused());
    CHECK(s.inner.token == "old");
    CHECK(s.inner.pages.empty());
    s.inner.owners["new"] = "34";
    s.file = "new";
    s.page();
    CHECK(s.inner.pages == std::vector<std::string>{"new"});
}

TEST_CASE("renewed token: one that is refused as well is followed by the next") {
    Setup s;
    s.identity();
    s.inner.owners.erase("old");
    CHECK(s.page_refused());
    s.file = "mistyped";
    CHECK(s.page_refused());
    s.inner.owners["strange"] = "35";
    s.file = "strange";
    CHECK(s.page_refused());
    CHECK(s.inner.pages.empty());
    s.inner.owners["new"] = "34";
    s.file = "new";
    s.page();
    CHECK(s.inner.pages == std::vector<std::string>{"new"});
}

TEST_CASE("renewed token: before the first answer whoever asks next finds out whose it is") {
    Setup s;
    s.inner.owners.clear();
    CHECK(s.page_refused());
    s.inner.owners["new"] = "35";
    s.file = "new";
    CHECK(s.identity() == "35");
    s.page();
    CHECK(s.inner.pages == std::vector<std::string>{"new"});
}
