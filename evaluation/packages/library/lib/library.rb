# frozen_string_literal: true

require_relative "library/calendar"
require_relative "library/catalog"
require_relative "library/fines"
require_relative "library/loan"
require_relative "library/loans"
require_relative "library/session"
require_relative "library/statement"
require_relative "library/api"
