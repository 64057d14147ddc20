package e2e_test

import (
	_ "github.com/openai/openai-go/v3"
	_ "github.com/sashabaranov/go-openai"
	_ "github.com/sluice-gateway/sluice/shared/gateway"
	_ "github.com/sluice-gateway/sluice/shared/pricing"
	_ "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)
