package cloudstack

import (
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/offering"
)

func limitsIn(in cs.IOLimitsIn) offering.IOLimits {
	return offering.IOLimits{
		ReadBytes:  offering.IOLimit{Rate: in.BytesRead, Burst: in.BytesReadBurst, Seconds: in.BytesReadSeconds},
		WriteBytes: offering.IOLimit{Rate: in.BytesWrite, Burst: in.BytesWriteBurst, Seconds: in.BytesWriteSeconds},
		ReadOps:    offering.IOLimit{Rate: in.OpsRead, Burst: in.OpsReadBurst, Seconds: in.OpsReadSeconds},
		WriteOps:   offering.IOLimit{Rate: in.OpsWrite, Burst: in.OpsWriteBurst, Seconds: in.OpsWriteSeconds},
	}
}

func limitsChange(in cs.IOLimitsChange) offering.IOChange {
	return offering.IOChange{
		ReadBytes:  offering.IOLimitChange{Rate: in.BytesRead, Burst: in.BytesReadBurst, Seconds: in.BytesReadSeconds},
		WriteBytes: offering.IOLimitChange{Rate: in.BytesWrite, Burst: in.BytesWriteBurst, Seconds: in.BytesWriteSeconds},
		ReadOps:    offering.IOLimitChange{Rate: in.OpsRead, Burst: in.OpsReadBurst, Seconds: in.OpsReadSeconds},
		WriteOps:   offering.IOLimitChange{Rate: in.OpsWrite, Burst: in.OpsWriteBurst, Seconds: in.OpsWriteSeconds},
	}
}

func limitsOut(l offering.IOLimits) cs.IOLimits {
	return cs.IOLimits{
		IORates:        ratesOut(l),
		BytesReadBurst: l.ReadBytes.Burst, BytesReadSeconds: l.ReadBytes.Seconds,
		BytesWriteBurst: l.WriteBytes.Burst, BytesWriteSeconds: l.WriteBytes.Seconds,
		OpsReadBurst: l.ReadOps.Burst, OpsReadSeconds: l.ReadOps.Seconds,
		OpsWriteBurst: l.WriteOps.Burst, OpsWriteSeconds: l.WriteOps.Seconds,
	}
}

func ratesOut(l offering.IOLimits) cs.IORates {
	return cs.IORates{BytesRead: l.ReadBytes.Rate, BytesWrite: l.WriteBytes.Rate, OpsRead: l.ReadOps.Rate, OpsWrite: l.WriteOps.Rate}
}
