// Lines and values of a stream, with its name if it is one of several.
#pragma once

#include <string>

#include "core/record/stream.hpp"
#include "core/sync/observer.hpp"

namespace mirror::sync {

/// Passes on lines and values of one stream; if there are several, with its name. What concerns
/// requests goes from ApiAccess to the session's observer.
class StreamObserver final : public Observer {
  public:
    StreamObserver(Observer& next, const Stream& stream, bool one_of_several)
        : next_(next),
          stream_(stream),
          named_(one_of_several ? &stream : nullptr),
          prefix_(one_of_several ? std::string(stream.name) + ": " : std::string()) {}

    void debug(const std::string& line) override { next_.debug(prefix_ + line); }
    void info(const std::string& line) override { next_.info(prefix_ + line); }
    void warning(const std::string& line) override { next_.warning(prefix_ + line); }
    void progress(const Progress& progress) override {
        Progress named = progress;
        named.stream = named_;
        next_.progress(named);
    }
    void first_load(const FirstLoad& load) override {
        FirstLoad named = load;
        named.stream = &stream_;
        named.one_of_several = named_ != nullptr;
        next_.first_load(named);
    }
    void progress_paused() override { next_.progress_paused(); }
    void stored(const Written& written) override { next_.stored(written); }
    void following(const Following& state) override {
        Following named = state;
        named.stream = &stream_;
        next_.following(named);
    }

  private:
    Observer& next_;
    const Stream& stream_;
    const Stream* named_;
    std::string prefix_;
};

}  // namespace mirror::sync
